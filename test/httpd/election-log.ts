// Elections of httpd as its error log tells them, at level debug: one line for each attempt, also for those that fail.
import type { Attempts } from './judge.ts';

/** Attempts by the name of the story; members are named by their URLs. */
export function readAttempts(
  log: string,
  urlsOf: ReadonlyMap<string, readonly string[]>,
): ReadonlyMap<string, Attempts> {
  const all = new Map<string, Map<number, number[]>>();
  const line = /^AH01172: balancer:\/\/(\S+): worker \((\S+)\) rewritten to \S+?\/\1\/(\d+)/gm;
  for (const [, name, url, event] of log.matchAll(line)) {
    const ofStory = all.get(name!) ?? new Map<number, number[]>();
    all.set(name!, ofStory);
    const attempts = ofStory.get(Number(event)) ?? [];
    ofStory.set(Number(event), attempts);
    attempts.push(urlsOf.get(name!)?.indexOf(url!) ?? -1);
  }
  return all;
}
