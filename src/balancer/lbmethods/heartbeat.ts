// heartbeat: a draw weighted by how many free slots each member has reported (httpd mod_lbmethod_heartbeat.c).
// Reads the reports; where they come from is not known here.
import { type CompiledBalancer, NONE } from '../compiled-balancer.ts';
import type { LbMethod } from './lb-method.ts';

export const heartbeat: LbMethod = {
  name: 'heartbeat',
  needs: 'reports',
  // Differs from httpd: heartbeat respects sets, roles and drain. There any member with a report is drawn.
  choose({ reports, random }: CompiledBalancer): number {
    const slots = reports!.total;
    // Differs from httpd: draws from 0 to slots - 1. There it is 0 to slots, which gives the last member one too many.
    return slots === 0 ? NONE : reports!.ownerOf(Math.floor(random() * slots));
  },
};
