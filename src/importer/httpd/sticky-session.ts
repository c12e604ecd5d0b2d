// stickysession and its relatives → spec.stickySession.

import { formatDuration } from '../duration-text.ts';
import type { FindingLog } from '../finding.ts';
import type { Fields } from '../manifest.ts';
import { isOn } from './parameters.ts';
import type { BalancerConfig, RouteCookie } from './proxy-config.ts';

const token = /^[A-Za-z0-9!#$%&'*+.^_`|~-]{1,63}$/;

/** Undefined: sessions are not kept. */
export function stickySessionOf(
  { parameters }: BalancerConfig,
  cookies: readonly RouteCookie[],
  log: FindingLog,
): Fields | undefined {
  const sticky = parameters.get('stickysession');
  if (sticky === undefined || sticky.value === '') return undefined;
  const say = (weight: 'lost' | 'changed', message: string): void => {
    log.add(weight, sticky.at, `stickysession=${sticky.value}`, message);
  };
  const [cookie = '', urlParameter = cookie] = sticky.value.split('|');
  for (const name of [cookie, urlParameter]) {
    if (token.test(name)) continue;
    say('lost', `${name} is no name of a cookie or a parameter`);
    return undefined;
  }
  const onMemberDown = isOn(parameters.get('nofailover')?.value) ? 'Reject' : undefined;
  const recipe = cookies.find(({ name }) => name === cookie);
  if (recipe !== undefined) {
    log.add(
      'changed',
      recipe.at,
      `Set-Cookie ${cookie}`,
      'strategy Insert sets the cookie; its values differ from httpd’s, so sessions under way are balanced once more',
    );
    return { cookie, strategy: 'Insert', attributes: attributesOf(recipe, log), onMemberDown };
  }
  if (parameters.get('scolonpathdelim') === undefined) {
    say('changed', 'a path parameter ends at ";" and "/" too, as with scolonpathdelim=On');
  }
  return { cookie, urlParameter, separator: separatorOf(parameters, log), onMemberDown };
}

function separatorOf(parameters: BalancerConfig['parameters'], log: FindingLog): string | undefined {
  const given = parameters.get('stickysessionsep');
  if (given === undefined || given.value === '.') return undefined;
  if (given.value.toLowerCase() === 'off') return '';
  if (/^[!#$&*+/:@^_|~-]$/.test(given.value)) return given.value;
  log.add('lost', given.at, `stickysessionsep=${given.value}`, 'this sign cannot be a separator; "." is used');
  return undefined;
}

/** What the recipe writes behind the value, as the attributes of the cookie that we set. */
function attributesOf({ at, attributes }: RouteCookie, log: FindingLog): Fields {
  let found: Fields = {};
  for (const attribute of attributes) {
    const [key = '', value = ''] = attribute.split('=').map((part) => part.trim());
    const lost = (): void => log.add('lost', at, attribute, 'there is no such attribute of an inserted cookie');
    switch (key.toLowerCase()) {
      case 'path':
        if (value !== '/') found = { ...found, path: value };
        break;
      case 'domain':
        found = { ...found, domain: value.replace(/^\./, '') };
        break;
      case 'max-age':
        if (/^[1-9][0-9]{0,7}$/.test(value)) found = { ...found, maxAge: formatDuration(Number(value) * 1000) };
        else lost();
        break;
      case 'samesite': {
        const sameSite = ['Strict', 'None'].find((name) => name.toLowerCase() === value.toLowerCase());
        if (sameSite !== undefined) found = { ...found, sameSite };
        break;
      }
      case 'secure':
        found = { ...found, secure: 'Always' };
        break;
      case 'partitioned':
        found = { ...found, partitioned: true };
        break;
      case 'httponly':
        break;
      default:
        lost();
    }
  }
  if (!attributes.some((attribute) => attribute.toLowerCase() === 'httponly')) {
    log.add('changed', at, 'Set-Cookie', 'the cookie is HttpOnly here; add httpOnly: false if scripts read it');
  }
  return found;
}
