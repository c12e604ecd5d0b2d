// bytraffic: the member that has moved the fewest bytes for its factor (httpd mod_lbmethod_bytraffic.c).
// Writes nothing that counts; bytes are counted where they move.
import type { LbMethod } from './lb-method.ts';

export const bytraffic: LbMethod = {
  name: 'bytraffic',
  needs: 'traffic',
  choose({ traffic }) {
    return traffic!.leastLoaded();
  },
};
