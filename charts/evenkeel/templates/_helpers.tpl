{{/* Names, labels and computed values that all templates share. */}}

{{- define "evenkeel.name" -}}
{{- .Values.nameOverride | default .Chart.Name | trunc 40 | trimSuffix "-" -}}
{{- end -}}

{{/* At most 48 characters, so that what is added to it fits into the 63 of a name. */}}
{{- define "evenkeel.fullname" -}}
{{- $name := include "evenkeel.name" . -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride | trunc 48 | trimSuffix "-" -}}
{{- else if contains $name .Release.Name -}}
{{- .Release.Name | trunc 48 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name $name | trunc 48 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}

{{/* For objects outside the release's namespace, where another release may have the same name. */}}
{{- define "evenkeel.outerName" -}}
{{- printf "%s-%s" (include "evenkeel.fullname" .) .Release.Namespace -}}
{{- end -}}

{{- define "evenkeel.selectorLabels" -}}
app.kubernetes.io/name: {{ include "evenkeel.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/component: controller
{{- end -}}

{{- define "evenkeel.ownLabels" -}}
app.kubernetes.io/name: {{ include "evenkeel.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/part-of: evenkeel
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" }}
{{- end -}}

{{/* Ours go before those of the user: selectors count on them. */}}
{{- define "evenkeel.labels" -}}
{{- mergeOverwrite (dict) .Values.commonLabels (include "evenkeel.ownLabels" . | fromYaml) | toYaml -}}
{{- end -}}

{{- define "evenkeel.serviceAccountName" -}}
{{- if .Values.serviceAccount.create -}}
{{- .Values.serviceAccount.name | default (include "evenkeel.fullname" .) -}}
{{- else -}}
{{- .Values.serviceAccount.name | default "default" -}}
{{- end -}}
{{- end -}}

{{- define "evenkeel.image" -}}
{{- with .Values.image -}}
{{- $registry := $.Values.global.imageRegistry | default .registry -}}
{{- $name := empty $registry | ternary .repository (printf "%s/%s" ($registry | trimSuffix "/") .repository) -}}
{{- if .digest -}}
{{- printf "%s@%s" $name .digest -}}
{{- else -}}
{{- printf "%s:%s" $name (.tag | default $.Chart.AppVersion) -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{- define "evenkeel.imagePullSecrets" -}}
{{- with concat .Values.global.imagePullSecrets .Values.imagePullSecrets | uniq -}}
imagePullSecrets:
  {{- range . }}
  - name: {{ . }}
  {{- end }}
{{- end -}}
{{- end -}}

{{/* The limit of the container, rounded up: a node may have many more processors than the pod may use. */}}
{{- define "evenkeel.lanes" -}}
{{- $limit := dig "limits" "cpu" "" .Values.resources | toString -}}
{{- if or (ne (toString .Values.lanes) "auto") (empty $limit) -}}
{{- .Values.lanes -}}
{{- else if hasSuffix "m" $limit -}}
{{- divf ($limit | trimSuffix "m" | float64) 1000 | ceil | int | min 8 | max 1 -}}
{{- else -}}
{{- $limit | float64 | ceil | int | min 8 | max 1 -}}
{{- end -}}
{{- end -}}

{{- define "evenkeel.bind" -}}
{{- with .Values.service -}}
{{- $isWide := or (has "IPv6" .ipFamilies) (hasSuffix "DualStack" .ipFamilyPolicy) -}}
{{- $.Values.bind | default (ternary "::" "0.0.0.0" $isWide) -}}
{{- end -}}
{{- end -}}

{{/* What may last between SIGTERM and the end of the process. */}}
{{- define "evenkeel.shutdownSeconds" -}}
{{- add .Values.shutdown.delaySeconds .Values.shutdown.timeoutSeconds -}}
{{- end -}}

{{- define "evenkeel.gracePeriodSeconds" -}}
{{- .Values.terminationGracePeriodSeconds | default (add (include "evenkeel.shutdownSeconds" .) 10) -}}
{{- end -}}

{{- define "evenkeel.metricsServiceName" -}}
{{- include "evenkeel.fullname" . }}-metrics
{{- end -}}

{{/* Whether there is more than one pod at least. */}}
{{- define "evenkeel.hasSeveralPods" -}}
{{- if eq .Values.kind "Deployment" -}}
{{- $least := .Values.autoscaling.enabled | ternary .Values.autoscaling.minReplicas .Values.replicas -}}
{{- if gt (int $least) 1 }}true{{ end -}}
{{- end -}}
{{- end -}}

{{/* What the schema cannot say: values that do not fit together. */}}
{{- define "evenkeel.check" -}}
{{- $grace := include "evenkeel.gracePeriodSeconds" . | int -}}
{{- $needed := include "evenkeel.shutdownSeconds" . | int | add 5 -}}
{{- if lt $grace (int $needed) -}}
{{- fail (printf "terminationGracePeriodSeconds is %d: with shutdown.delaySeconds and shutdown.timeoutSeconds it must be at least %d, or requests are cut" $grace $needed) -}}
{{- end -}}
{{- with .Values.service -}}
{{- if and .externalTrafficPolicy (eq .type "ClusterIP") -}}
{{- fail (printf "service.externalTrafficPolicy is %s: service.type must be NodePort or LoadBalancer for that" .externalTrafficPolicy) -}}
{{- end -}}
{{- if and .nodePort (eq .type "ClusterIP") -}}
{{- fail (printf "service.nodePort is %d: service.type must be NodePort or LoadBalancer for that" (int .nodePort)) -}}
{{- end -}}
{{- if and .loadBalancerClass (ne .type "LoadBalancer") -}}
{{- fail (printf "service.loadBalancerClass is %s: service.type must be LoadBalancer for that" .loadBalancerClass) -}}
{{- end -}}
{{- if and .loadBalancerSourceRanges (ne .type "LoadBalancer") -}}
{{- fail "service.loadBalancerSourceRanges is given: service.type must be LoadBalancer for that" -}}
{{- end -}}
{{- end -}}
{{- if and .Values.autoscaling.enabled (ne .Values.kind "Deployment") -}}
{{- fail (printf "autoscaling.enabled is true: kind must be Deployment for that, not %s" .Values.kind) -}}
{{- end -}}
{{- with .Values.autoscaling -}}
{{- if .enabled -}}
{{- if gt (int .minReplicas) (int .maxReplicas) -}}
{{- fail (printf "autoscaling.minReplicas is %d, more than autoscaling.maxReplicas, which is %d" (int .minReplicas) (int .maxReplicas)) -}}
{{- end -}}
{{- $requests := dig "requests" (dict) $.Values.resources -}}
{{- if and .targetCPUUtilizationPercentage (not $requests.cpu) -}}
{{- fail "autoscaling.targetCPUUtilizationPercentage is of resources.requests.cpu, which is not given" -}}
{{- end -}}
{{- if and .targetMemoryUtilizationPercentage (not $requests.memory) -}}
{{- fail "autoscaling.targetMemoryUtilizationPercentage is of resources.requests.memory, which is not given" -}}
{{- end -}}
{{- if not (or .targetCPUUtilizationPercentage .targetMemoryUtilizationPercentage .metrics) -}}
{{- fail "autoscaling.enabled is true, and nothing says by what: give a target or autoscaling.metrics" -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- with .Values.podDisruptionBudget -}}
{{- if and .enabled (eq (kindIs "invalid" .minAvailable) (kindIs "invalid" .maxUnavailable)) -}}
{{- fail "podDisruptionBudget needs one of minAvailable and maxUnavailable: set the other one to null" -}}
{{- end -}}
{{- end -}}
{{- $ports := dict "8080" "the traffic port of the pods" -}}
{{- range $name, $port := dict "metrics.port" .Values.metrics.port "sessions.port" (.Values.sessions.enabled | ternary .Values.sessions.port 0) -}}
{{- with get $ports (toString $port) -}}
{{- fail (printf "%s is %v, and so is %s" $name $port .) -}}
{{- end -}}
{{- $_ := set $ports (toString $port) $name -}}
{{- end -}}
{{- if and (eq .Values.metrics.monitor.kind "ServiceMonitor") (not .Values.metrics.service.enabled) -}}
{{- fail "metrics.monitor.kind is ServiceMonitor, which needs metrics.service.enabled" -}}
{{- end -}}
{{- end -}}
