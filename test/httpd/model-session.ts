// The member that a session route leads to, as httpd finds it: part of the model.
import type { Model, ModelMember } from './model.ts';

/** The member; 'down' where the route is a member's and none can be had; 'unknown' where it is nobody's. */
export function find(model: Model, route: string): ModelMember | 'down' | 'unknown' {
  if (!model.members.some((member) => member.route === route)) return 'unknown';
  return search(model, route, 1) ?? 'down';
}

function search(model: Model, route: string, depth: number): ModelMember | null {
  for (const member of model.members) {
    if (member.route !== route) continue;
    if (!model.usable(member)) model.retryCheck(member);
    if (model.usable(member)) return member;
    if (member.is.redirect === '' || depth >= model.members.length) continue;
    const other = search(model, member.is.redirect, depth + 1);
    if (other !== null) return other;
  }
  return null;
}
