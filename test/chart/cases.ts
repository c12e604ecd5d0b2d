// Values that operators might give, each case with what the others leave at its default; together they touch every value.
import type { Values } from './helm.ts';

const digest = `sha256:${'0123456789abcdef'.repeat(4)}`;

/** Cases whose objects every cluster knows, and those that need definitions of others. */
export const cases: Readonly<Record<string, Values>> = {
  defaults: {},

  'few-namespaces': {
    fullnameOverride: 'edge',
    className: 'internal',
    defaultClass: false,
    namespaces: ['shop', 'backend'],
    hostOwnership: 'Shared',
    catchAllNamespaces: ['shop'],
    allowExternalName: false,
    podMetadata: true,
    leaderElection: { namespace: 'backend', name: 'edge-lease' },
    publish: { addresses: ['192.0.2.10', 'edge.example.com'] },
    rbac: { secretNames: ['session-keys', 'shop-tls'], referenceGrants: false },
  },

  'load-balancer': {
    service: {
      type: 'LoadBalancer',
      port: 8000,
      nodePort: 30080,
      annotations: { 'example.com/load-balancer': 'internal' },
      labels: { exposed: 'yes' },
      externalTrafficPolicy: 'Local',
      ipFamilyPolicy: 'PreferDualStack',
      ipFamilies: ['IPv4', 'IPv6'],
      clusterIP: '10.96.77.77',
      loadBalancerClass: 'example.com/class',
      loadBalancerSourceRanges: ['192.0.2.0/24'],
    },
    trustedProxies: ['10.0.0.0/8', 'fd00::/8'],
    shutdown: { delaySeconds: 20, timeoutSeconds: 120 },
    autoscaling: {
      enabled: true,
      minReplicas: 3,
      maxReplicas: 9,
      targetCPUUtilizationPercentage: 60,
      targetMemoryUtilizationPercentage: 80,
      metrics: [
        { type: 'Pods', pods: { metric: { name: 'x' }, target: { type: 'AverageValue', averageValue: '10' } } },
      ],
      behavior: { scaleDown: { selectPolicy: 'Disabled' } },
    },
    podDisruptionBudget: { maxUnavailable: null, minAvailable: '50%' },
    networkPolicy: {
      enabled: true,
      trafficFrom: [{ ipBlock: { cidr: '192.0.2.0/24' } }],
      sessionsFrom: [{ namespaceSelector: { matchLabels: { apps: 'yes' } } }],
      egress: [{ to: [{ namespaceSelector: {} }] }],
    },
    sessions: { enabled: true, window: '1h30m' },
    resources: { requests: { cpu: '500m', memory: '256Mi' }, limits: { cpu: '1500m', memory: '1Gi' } },
    rbac: { secretNames: ['*'] },
  },

  'each-node': {
    kind: 'DaemonSet',
    hostPort: 80,
    service: { type: 'NodePort', externalTrafficPolicy: 'Cluster' },
    lanes: 4,
    bind: '::',
    zone: 'zone-a',
    nodeSelector: { 'kubernetes.io/os': 'linux' },
    tolerations: [{ key: 'edge', operator: 'Exists', effect: 'NoSchedule' }],
  },

  'every-field': {
    global: { imageRegistry: 'registry.example.com', imagePullSecrets: ['shared'] },
    nameOverride: 'lb',
    commonLabels: { team: 'edge', 'app.kubernetes.io/name': 'is-ours' },
    image: { registry: 'other.example.com', repository: 'team/evenkeel', tag: 'x', digest, pullPolicy: 'Always' },
    imagePullSecrets: ['own', 'shared'],
    updateStrategy: { type: 'RollingUpdate', rollingUpdate: { maxUnavailable: 1, maxSurge: 0 } },
    minReadySeconds: 5,
    revisionHistoryLimit: 2,
    allowMemberCidrs: ['169.254.10.0/24'],
    catchAllNamespaces: ['*'],
    forwarded: true,
    via: true,
    requestId: 'make',
    sessions: { enabled: true, port: 9100 },
    accessLog: 'json',
    explain: { secretName: 'explain', key: 'text' },
    maxConnections: 1000,
    log: { level: 'debug', format: 'pretty' },
    terminationGracePeriodSeconds: 300,
    metrics: { port: 9191, service: { annotations: { scrape: 'yes' } } },
    serviceAccount: { name: 'edge-account', annotations: { 'example.com/role': 'edge' } },
    networkPolicy: { enabled: true, metricsFrom: [{ podSelector: { matchLabels: { app: 'prometheus' } } }] },
    podSecurityContext: { fsGroup: 65532 },
    securityContext: { runAsUser: 1000 },
    crds: { keep: false },
    probes: {
      readiness: { successThreshold: 2 },
      startup: { failureThreshold: 10 },
      liveness: { initialDelaySeconds: 3 },
    },
    topologySpreadConstraints: [
      {
        maxSkew: 2,
        topologyKey: 'example.com/rack',
        whenUnsatisfiable: 'DoNotSchedule',
        labelSelector: { matchLabels: { team: 'edge' } },
      },
    ],
    affinity: {
      podAntiAffinity: {
        preferredDuringSchedulingIgnoredDuringExecution: [
          { weight: 1, podAffinityTerm: { topologyKey: 'kubernetes.io/hostname' } },
        ],
      },
    },
    priorityClassName: 'system-cluster-critical',
    dnsPolicy: 'ClusterFirst',
    dnsConfig: { options: [{ name: 'ndots', value: '2' }] },
    podAnnotations: { 'example.com/note': 'yes' },
    podLabels: { tier: 'edge', 'app.kubernetes.io/instance': 'is-ours' },
    extraArgs: ['--max-members=1000', '--max-balancers=100'],
    extraEnv: [{ name: 'TZ', value: 'UTC' }],
    extraVolumes: [{ name: 'scratch', emptyDir: {} }],
    extraVolumeMounts: [{ name: 'scratch', mountPath: '/scratch' }],
    extraContainers: [{ name: 'beside', image: 'registry.example.com/beside:1' }],
    extraObjects: [
      { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: '{{ .Release.Name }}-object' }, data: { a: 'b' } },
      'apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: {{ include "evenkeel.fullname" . }}-text\n',
    ],
  },

  'next-to-nothing': {
    replicas: 1,
    publish: { service: false },
    zone: '',
    metrics: { service: { enabled: false } },
    crds: { install: false },
    serviceAccount: { create: false, name: 'given' },
    rbac: { create: false },
    podDisruptionBudget: { enabled: false },
    resources: {},
    topologySpreadConstraints: [],
    test: { enabled: false },
  },

  // Balancers of a file, and nothing of the cluster's.
  'from-files': {
    crds: { install: false },
    publish: { service: false },
    rbac: { create: false },
    serviceAccount: { automount: false },
    extraArgs: ['--config=/etc/evenkeel/balancers'],
    extraVolumes: [{ name: 'balancers', configMap: { name: 'balancers' } }],
    extraVolumeMounts: [{ name: 'balancers', mountPath: '/etc/evenkeel/balancers', readOnly: true }],
    extraObjects: [
      {
        apiVersion: 'v1',
        kind: 'ConfigMap',
        metadata: { name: 'balancers' },
        data: {
          'shop.yaml':
            'apiVersion: evenkeel.dev/v1alpha1\nkind: Balancer\nmetadata: { name: shop }\nspec:\n  members: [{ url: "http://app.shop.svc:8080" }]\n',
        },
      },
    ],
  },
};

/** They need the definitions of the Prometheus operator. */
export const monitorCases: Readonly<Record<string, Values>> = {
  'service-monitor': {
    metrics: {
      monitor: {
        kind: 'ServiceMonitor',
        labels: { release: 'prometheus' },
        interval: '15s',
        relabelings: [{ action: 'labeldrop', regex: 'pod' }],
        metricRelabelings: [{ action: 'drop', sourceLabels: ['__name__'], regex: 'go_.*' }],
      },
    },
  },
  'pod-monitor': { metrics: { service: { enabled: false }, monitor: { kind: 'PodMonitor' } } },
};
