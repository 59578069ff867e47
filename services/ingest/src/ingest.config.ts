// Section `ingest`: the DICOM listener.
import { defineConfig } from '@perennia/config';
import { listenerOptions } from '@perennia/ingest-pipeline/listener-options';
import { z } from 'zod';

export class IngestConfig extends defineConfig('ingest', z.object(listenerOptions(11112))) {}
