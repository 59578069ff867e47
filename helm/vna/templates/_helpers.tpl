{{- define "vna.name" -}}
{{- default .Release.Name .Values.nameOverride | trunc 40 | trimSuffix "-" -}}
{{- end }}

{{- define "vna.selector" -}}
app.kubernetes.io/name: {{ .Chart.Name }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "vna.labels" -}}
{{ include "vna.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version }}
{{- end }}

{{- define "vna.image" -}}
{{- $repository := required "image.repository is empty: build deploy/Dockerfile, push it to a registry of yours and name it here." .Values.image.repository -}}
{{ printf "%s:%s" $repository (default .Chart.AppVersion .Values.image.tag) | quote }}
{{- end }}

{{- define "vna.serviceAccount" -}}
{{- if .Values.serviceAccount.create }}{{ default (include "vna.name" .) .Values.serviceAccount.name }}{{ else }}{{ default "default" .Values.serviceAccount.name }}{{ end }}
{{- end }}

{{/* What cannot run, or would run dangerously, ends here with a sentence. */}}
{{- define "vna.check" -}}
{{- $pods := 0 -}}
{{- range $name, $service := .Values.services -}}
{{- if $service.enabled -}}
{{- $pods = add $pods (ternary 2 (int $service.replicas) $service.autoscaling.enabled) -}}
{{- $receives := or (has "ingest" $service.roles) (has "dicomweb" $service.roles) -}}
{{- if and $receives (eq $service.landing "none") -}}
{{- fail (printf "services.%s receives objects: landing must be file or object, or what it acknowledged is lost with its pod." $name) -}}
{{- end -}}
{{- if and (has "ingest" $service.roles) (not $.Values.sources) (not $service.unsafeListen) -}}
{{- fail (printf "services.%s would take objects from anybody: list who may send under sources, or accept the danger with services.%s.unsafeListen." $name $name) -}}
{{- end -}}
{{- if and (has "dicomweb" $service.roles) (not $service.unsafeListen) -}}
{{- fail (printf "services.%s would serve patient data without sign-in: put a proxy that signs people in before it, name it in networkPolicy.dicomwebFrom, then set services.%s.unsafeListen." $name $name) -}}
{{- end -}}
{{- if and $service.autoscaling.enabled (not $service.autoscaling.cpuPercent) (not $service.autoscaling.external.metricName) -}}
{{- fail (printf "services.%s.autoscaling needs cpuPercent or external.metricName." $name) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- if and (not .Values.database.existingSecret) (ne (int $pods) 1) -}}
{{- fail "database.existingSecret is empty: the embedded PostgreSQL serves one pod only. Name the secret with the URL of your PostgreSQL, or enable one service with one replica and all roles." -}}
{{- end -}}
{{- end }}

{{- define "vna.databaseEnvironment" -}}
{{- if .Values.database.existingSecret }}
- name: VNA_DATABASE_URL
  valueFrom:
    secretKeyRef: {name: {{ .Values.database.existingSecret | quote }}, key: {{ .Values.database.key | quote }}}
{{- end }}
{{- end }}

{{- define "vna.sharedEnvironment" -}}
{{- range $name, $value := .Values.environment }}
- name: {{ $name }}
  value: {{ $value | toString | quote }}
{{- end }}
{{- range $name, $from := .Values.secretEnvironment }}
- name: {{ $name }}
  valueFrom:
    secretKeyRef: {name: {{ $from.secret | quote }}, key: {{ $from.key | quote }}}
{{- end }}
{{- end }}

{{- define "vna.kafkaEnvironment" -}}
{{- with .Values.kafka }}
{{- if .brokers }}
- name: VNA_KAFKA_BROKERS
  value: {{ join "," .brokers | quote }}
- name: VNA_KAFKA_TLS
  value: {{ .tls | quote }}
{{- if .existingSecret }}
- name: VNA_KAFKA_MECHANISM
  value: {{ .mechanism | quote }}
- name: VNA_KAFKA_USERNAME
  valueFrom:
    secretKeyRef: {name: {{ .existingSecret | quote }}, key: {{ .usernameKey | quote }}}
- name: VNA_KAFKA_PASSWORD
  valueFrom:
    secretKeyRef: {name: {{ .existingSecret | quote }}, key: {{ .passwordKey | quote }}}
{{- end }}
{{- if .caSecret }}
- name: VNA_KAFKA_CA_FILE
  value: /etc/perennia/kafka/{{ .caKey }}
{{- end }}
{{- end }}
{{- end }}
{{- end }}

{{- define "vna.podSecurity" -}}
runAsNonRoot: true
runAsUser: 10001
runAsGroup: 10001
fsGroup: 10001
fsGroupChangePolicy: OnRootMismatch
seccompProfile: {type: RuntimeDefault}
{{- end }}

{{- define "vna.containerSecurity" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities: {drop: [ALL]}
{{- end }}

{{/* The health server listens on loopback only: the kubelet cannot ask it, a process inside can. */}}
{{- define "vna.probe" -}}
exec: {command: [/opt/perennia/node_modules/.bin/node, /opt/perennia/deploy/probe.mjs, {{ . }}]}
timeoutSeconds: 5
{{- end }}
