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

{{/* Not empty for a service that takes objects in. */}}
{{- define "vna.receives" -}}
{{- if or (has "ingest" .roles) (has "dicomweb" .roles) (has "retrieve" .roles) }}yes{{ end -}}
{{- end }}

{{/* Not empty for a service that has a port for queries; beside ingest it has none: associations come from there. */}}
{{- define "vna.queries" -}}
{{- if and (has "retrieve" .roles) (not (has "ingest" .roles)) }}yes{{ end -}}
{{- end }}

{{- define "vna.hot" -}}
{{- if .Values.storage.hot }}{{ .Values.storage.hot }}{{ else if .Values.storage.tiers }}{{ (first .Values.storage.tiers).name }}{{ else }}hot{{ end -}}
{{- end }}

{{/* What cannot run, or would run dangerously, ends here with a sentence. */}}
{{- define "vna.check" -}}
{{- $pods := 0 -}}
{{- range $name, $service := .Values.services -}}
{{- if $service.enabled -}}
{{- $pods = add $pods (ternary 2 (int $service.replicas) $service.autoscaling.enabled) -}}
{{- if and (include "vna.receives" $service) (gt (len (printf "%s-%s" (include "vna.name" $) $name)) 35) -}}
{{- fail (printf "services.%s: its pods would be called %s-%s-0, and the name of a copy has at most 40 characters: set a shorter nameOverride." $name (include "vna.name" $) $name) -}}
{{- end -}}
{{- if and (or (has "ingest" $service.roles) (has "retrieve" $service.roles)) (not $.Values.sources) (not $service.unsafeListen) -}}
{{- fail (printf "services.%s would take objects and queries from anybody: list who may send and ask under sources, or accept the danger with services.%s.unsafeListen." $name $name) -}}
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
{{- $s3 := list -}}
{{- $names := list -}}
{{- range .Values.storage.tiers -}}
{{- $names = append $names .name -}}
{{- if eq .kind "s3" }}{{ $s3 = append $s3 .name }}{{ end -}}
{{- end -}}
{{- range $key, $tier := dict "hot" .Values.storage.hot "second" .Values.storage.second -}}
{{- if and $tier (not (has $tier $names)) -}}
{{- fail (printf "storage.%s: there is no tier %s in storage.tiers." $key $tier) -}}
{{- end -}}
{{- end -}}
{{- if and (ne .Values.storage.landing "file") (not (has .Values.storage.landing $s3)) -}}
{{- fail (printf "storage.landing: %s is neither file nor the name of an S3 tier in storage.tiers." .Values.storage.landing) -}}
{{- end -}}
{{- if and (ne (int $pods) 1) (eq .Values.storage.landing "file") -}}
{{- fail "storage.landing is file: pods would not see what another one received. Name an S3 tier, or enable one service with one replica and all roles." -}}
{{- end -}}
{{- if and (ne (int $pods) 1) (not (has (include "vna.hot" .) $s3)) -}}
{{- fail "storage.hot is no S3 tier: pods would not see what another one filed. Name an S3 tier, or enable one service with one replica and all roles." -}}
{{- end -}}
{{- if lt (int .Values.terminationGracePeriodSeconds) (int (add .Values.shutdownGraceSeconds 15)) -}}
{{- fail (printf "terminationGracePeriodSeconds is %d: a pod would be killed while it stops in order, which takes up to shutdownGraceSeconds and 15 seconds." (int .Values.terminationGracePeriodSeconds)) -}}
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
- name: VNA_KAFKA_PARTITIONS
  value: {{ .partitions | quote }}
- name: VNA_KAFKA_REPLICATION
  value: {{ .replication | quote }}
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

{{- define "vna.storageEnvironment" -}}
{{- with .Values.storage }}
{{- if .tiers }}
{{- $tiers := list }}
{{- range .tiers }}
{{- $tier := omit . "secretAccessKey" "ca" }}
{{- if .secretAccessKey }}{{ $tier = set $tier "secretAccessKeyFile" (printf "/etc/perennia/tiers/%s/secret-access-key" .name) }}{{ end }}
{{- if .ca }}{{ $tier = set $tier "caFile" (printf "/etc/perennia/tiers/%s/ca.crt" .name) }}{{ end }}
{{- $tiers = append $tiers $tier }}
{{- end }}
- name: VNA_STORAGE_TIERS
  value: {{ toJson $tiers | quote }}
- name: VNA_STORAGE_HOT
  value: {{ include "vna.hot" $ | quote }}
{{- end }}
{{- if .second }}
- name: VNA_STORAGE_SECOND
  value: {{ .second | quote }}
{{- end }}
- name: VNA_STORAGE_LANDING
  value: {{ .landing | quote }}
{{- end }}
{{- end }}

{{/* Files from secrets: the authority of the brokers, secret keys and authorities of tiers. */}}
{{- define "vna.secretMounts" -}}
{{- if .Values.kafka.caSecret }}
- {name: kafka-ca, mountPath: /etc/perennia/kafka, readOnly: true}
{{- end }}
{{- range .Values.storage.tiers }}
{{- if or .secretAccessKey .ca }}
- {name: tier-{{ .name }}, mountPath: /etc/perennia/tiers/{{ .name }}, readOnly: true}
{{- end }}
{{- end }}
{{- end }}

{{- define "vna.secretVolumes" -}}
{{- with .Values.kafka.caSecret }}
- name: kafka-ca
  secret: {secretName: {{ . | quote }}}
{{- end }}
{{- range .Values.storage.tiers }}
{{- if or .secretAccessKey .ca }}
- name: tier-{{ .name }}
  projected:
    defaultMode: 0440
    sources:
      {{- with .secretAccessKey }}
      - secret: {name: {{ .secret | quote }}, items: [{key: {{ .key | quote }}, path: secret-access-key}]}
      {{- end }}
      {{- with .ca }}
      - secret: {name: {{ .secret | quote }}, items: [{key: {{ .key | quote }}, path: ca.crt}]}
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

{{- define "vna.probe" -}}
httpGet: {path: /{{ . }}, port: health}
timeoutSeconds: 5
{{- end }}
