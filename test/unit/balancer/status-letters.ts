// httpd's status letters, in which the vectors speak: what they come to here.
import type { MemberUnit } from '../../../src/snapshot/snapshot.ts';

/** State and role for letters such as `RN`; E is not of the configuration. */
export function stateOf(letters: string): Pick<MemberUnit, 'state' | 'role' | 'ignoreErrors'> {
  const has = (letter: string): boolean => letters.includes(letter);
  return {
    state: has('S') ? 'Stopped' : has('D') ? 'Disabled' : has('N') ? 'Draining' : 'Enabled',
    role: has('R') ? 'HotSpare' : has('H') ? 'HotStandby' : 'Active',
    ignoreErrors: has('I'),
  };
}

/** The letters of a member's configuration. */
export function lettersOf({ state, role, ignoreErrors }: MemberUnit): string {
  const ofState = { Enabled: '', Draining: 'N', Drained: 'D', Disabled: 'D', Stopped: 'S' }[state];
  const ofRole = { Active: '', HotSpare: 'R', HotStandby: 'H' }[role];
  return (ignoreErrors ? 'I' : '') + ofState + ofRole;
}

/** The member after a change such as `+D` or `-N`. */
export function withStatus(member: MemberUnit, change: string): MemberUnit {
  let letters = lettersOf(member);
  let isAdding = true;
  for (const letter of change) {
    if (letter === '+' || letter === '-') isAdding = letter === '+';
    else letters = isAdding ? letters + letter : letters.replaceAll(letter, '');
  }
  return { ...member, ...stateOf(letters) };
}
