// Whether pods are given the time that their drain may take: the kubelet kills a pod at the end of its grace period, whoever
// still has a session there. Pure; knows pods only as far as it is told of them.
import type { Balancer } from '../api/balancer.ts';
import { refOf } from '../api/parse.ts';
import { createNotice, type Problem } from '../api/problem.ts';
import type { BalancerUnit } from '../snapshot/snapshot.ts';

/**
 * `graceSecondsOf`: terminationGracePeriodSeconds of a pod (`namespace/name`); null: it is not known. One notice for all pods
 * of a Balancer, since they mostly come from one template.
 */
export function findShortGraces(
  balancer: Balancer,
  { drain, members }: Pick<BalancerUnit, 'drain' | 'members'>,
  graceSecondsOf: (pod: string) => number | null,
): readonly Problem[] {
  const { timeoutMs } = drain;
  if (timeoutMs === null) return [];
  const known = members.flatMap(({ pod }) => {
    const seconds = pod === null ? null : graceSecondsOf(pod);
    return pod === null || seconds === null ? [] : [{ pod, seconds }];
  });
  const short = known.filter(({ seconds }) => seconds * 1000 < timeoutMs).sort((a, b) => a.seconds - b.seconds);
  const [first] = short;
  if (first === undefined) return [];
  const path = 'spec.drain.timeout';
  const message =
    `${path} is ${balancer.spec.drain.timeout}, but Kubernetes kills ${short.length} of ${known.length} pods earlier, such as ` +
    `${first.pod} after ${first.seconds}s; raise terminationGracePeriodSeconds in their template`;
  return [createNotice(refOf(balancer), path, message)];
}
