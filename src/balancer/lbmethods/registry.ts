// The balancing methods by name. A new one is one file beside this and one line here.
import type { LbMethodName } from '../../snapshot/snapshot.ts';
import { bybusyness } from './bybusyness.ts';
import { byrequests } from './byrequests.ts';
import { bytraffic } from './bytraffic.ts';
import { hash } from './hash.ts';
import { heartbeat } from './heartbeat.ts';
import type { LbMethod } from './lb-method.ts';
import { leasttime } from './leasttime.ts';

export const LB_METHODS: Readonly<Record<LbMethodName, LbMethod>> = {
  byrequests,
  bytraffic,
  bybusyness,
  heartbeat,
  leasttime,
  hash,
};
