{{/* The pods of the Deployment or DaemonSet. They share nothing and keep nothing on disk. */}}
{{- define "evenkeel.args" -}}
- serve
- "--bind={{ include `evenkeel.bind` . }}"
- "--http-port=8080"
# Probes and Prometheus come by the pod's address. The Service for clients does not lead here.
- "--admin-bind={{ include `evenkeel.bind` . }}"
- "--admin-port={{ .Values.metrics.port }}"
{{- if .Values.metrics.service.enabled }}
{{- $service := include "evenkeel.metricsServiceName" . }}
{{- $inNamespace := printf "%s.%s" $service .Release.Namespace }}
- "--admin-hosts={{ $service }},{{ $inNamespace }},{{ $inNamespace }}.svc,{{ $inNamespace }}.svc.cluster.local"
{{- end }}
- "--class={{ .Values.className }}"
{{- if not .Values.defaultClass }}
- "--no-default-class"
{{- end }}
{{- with .Values.namespaces }}
- "--namespaces={{ join `,` . }}"
{{- end }}
- "--host-ownership={{ .Values.hostOwnership }}"
{{- with .Values.catchAllNamespaces }}
- "--catch-all-namespaces={{ join `,` . }}"
{{- end }}
{{- if not .Values.allowExternalName }}
- "--no-allow-external-name"
{{- end }}
{{- with .Values.allowMemberCidrs }}
- "--allow-member-cidr={{ join `,` . }}"
{{- end }}
{{- if and .Values.zone (ne .Values.zone "auto") }}
- "--zone={{ .Values.zone }}"
{{- end }}
{{- if .Values.podMetadata }}
- "--pod-metadata"
{{- end }}
{{- with .Values.leaderElection.namespace }}
- "--leader-election-namespace={{ . }}"
{{- end }}
- "--leader-election-name={{ include `evenkeel.leaseName` . }}"
{{- if .Values.publish.addresses }}
- "--publish-address={{ join `,` .Values.publish.addresses }}"
{{- else if .Values.publish.service }}
- "--publish-service={{ .Release.Namespace }}/{{ include `evenkeel.fullname` . }}"
{{- end }}
{{- with .Values.trustedProxies }}
- "--trusted-proxies={{ join `,` . }}"
{{- end }}
{{- if .Values.forwarded }}
- "--forwarded"
{{- end }}
{{- if .Values.via }}
- "--via"
{{- end }}
- "--request-id={{ .Values.requestId | default `off` }}"
{{- if .Values.sessions.enabled }}
- "--sessions-bind={{ include `evenkeel.bind` . }}"
- "--sessions-port={{ .Values.sessions.port }}"
{{- end }}
- "--session-window={{ .Values.sessions.window }}"
- "--access-log={{ .Values.accessLog | default `off` }}"
{{- if .Values.explain.secretName }}
- "--explain-secret-file=/etc/evenkeel/explain/secret"
{{- end }}
- "--lanes={{ include `evenkeel.lanes` . }}"
- "--max-connections={{ .Values.maxConnections | int }}"
- "--log-level={{ .Values.log.level }}"
- "--log-format={{ .Values.log.format }}"
- "--shutdown-delay={{ .Values.shutdown.delaySeconds }}s"
- "--shutdown-timeout={{ .Values.shutdown.timeoutSeconds }}s"
{{- range .Values.extraArgs }}
- {{ . | quote }}
{{- end }}
{{- end -}}

{{- define "evenkeel.leaseName" -}}
{{- .Values.leaderElection.name | default (include "evenkeel.fullname" .) -}}
{{- end -}}

{{- define "evenkeel.podTemplate" -}}
metadata:
  labels:
    {{- $own := merge (include "evenkeel.selectorLabels" . | fromYaml) (include "evenkeel.labels" . | fromYaml) }}
    {{- mergeOverwrite (dict) .Values.podLabels $own | toYaml | nindent 4 }}
  annotations:
    {{- mergeOverwrite (dict "kubectl.kubernetes.io/default-container" "evenkeel") .Values.podAnnotations | toYaml | nindent 4 }}
spec:
  serviceAccountName: {{ include "evenkeel.serviceAccountName" . }}
  automountServiceAccountToken: {{ .Values.serviceAccount.automount }}
  # A Service of the name evenkeel-… would set variables that look like flags.
  enableServiceLinks: false
  {{- with include "evenkeel.imagePullSecrets" . }}
  {{- . | nindent 2 }}
  {{- end }}
  {{- with .Values.podSecurityContext }}
  securityContext:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  terminationGracePeriodSeconds: {{ include "evenkeel.gracePeriodSeconds" . }}
  {{- with .Values.priorityClassName }}
  priorityClassName: {{ . }}
  {{- end }}
  {{- with .Values.dnsPolicy }}
  dnsPolicy: {{ . }}
  {{- end }}
  {{- with .Values.dnsConfig }}
  dnsConfig:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  containers:
    - name: evenkeel
      image: {{ include "evenkeel.image" . | quote }}
      imagePullPolicy: {{ .Values.image.pullPolicy }}
      args:
        {{- include "evenkeel.args" . | nindent 8 }}
      env:
        - name: POD_NAME
          valueFrom:
            fieldRef:
              fieldPath: metadata.name
        - name: POD_NAMESPACE
          valueFrom:
            fieldRef:
              fieldPath: metadata.namespace
        {{- if eq .Values.zone "auto" }}
        # Empty, which counts as not set, where Kubernetes does not copy the node's label.
        - name: EVENKEEL_ZONE
          valueFrom:
            fieldRef:
              fieldPath: metadata.labels['topology.kubernetes.io/zone']
        {{- end }}
        {{- with .Values.extraEnv }}
        {{- toYaml . | nindent 8 }}
        {{- end }}
      ports:
        - name: http
          containerPort: 8080
          {{- with .Values.hostPort }}
          hostPort: {{ . }}
          {{- end }}
        - name: admin
          containerPort: {{ .Values.metrics.port }}
        {{- if .Values.sessions.enabled }}
        - name: sessions
          containerPort: {{ .Values.sessions.port }}
        {{- end }}
      # Not /readyz: while the API server cannot be reached the pod waits for it, and is not started anew.
      startupProbe:
        {{- merge (dict "httpGet" (dict "path" "/healthz" "port" "admin")) .Values.probes.startup | toYaml | nindent 8 }}
      readinessProbe:
        {{- merge (dict "httpGet" (dict "path" "/readyz" "port" "admin")) .Values.probes.readiness | toYaml | nindent 8 }}
      livenessProbe:
        {{- merge (dict "httpGet" (dict "path" "/healthz" "port" "admin")) .Values.probes.liveness | toYaml | nindent 8 }}
      {{- with .Values.securityContext }}
      securityContext:
        {{- toYaml . | nindent 8 }}
      {{- end }}
      {{- with .Values.resources }}
      resources:
        {{- toYaml . | nindent 8 }}
      {{- end }}
      {{- if or .Values.explain.secretName .Values.extraVolumeMounts }}
      volumeMounts:
        {{- if .Values.explain.secretName }}
        # The folder, not the file: single files are not brought up to date.
        - name: explain
          mountPath: /etc/evenkeel/explain
          readOnly: true
        {{- end }}
        {{- with .Values.extraVolumeMounts }}
        {{- toYaml . | nindent 8 }}
        {{- end }}
      {{- end }}
    {{- with .Values.extraContainers }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
  {{- if or .Values.explain.secretName .Values.extraVolumes }}
  volumes:
    {{- if .Values.explain.secretName }}
    - name: explain
      secret:
        secretName: {{ .Values.explain.secretName }}
        items:
          - key: {{ .Values.explain.key }}
            path: secret
    {{- end }}
    {{- with .Values.extraVolumes }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
  {{- end }}
  {{- with .Values.topologySpreadConstraints }}
  {{- $selector := dict "matchLabels" (include "evenkeel.selectorLabels" $ | fromYaml) }}
  {{- $constraints := list }}
  {{- range . }}
  {{- $constraints = append $constraints (merge (dict) . (dict "labelSelector" (.labelSelector | default $selector))) }}
  {{- end }}
  topologySpreadConstraints:
    {{- toYaml $constraints | nindent 4 }}
  {{- end }}
  {{- with .Values.affinity }}
  affinity:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- with .Values.nodeSelector }}
  nodeSelector:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- with .Values.tolerations }}
  tolerations:
    {{- toYaml . | nindent 4 }}
  {{- end }}
{{- end -}}
