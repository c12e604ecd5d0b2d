// Every difference from httpd that the code marks, by its name, and how this test deals with it: either the model
// predicts what comes of it, or the draw avoids it. A mark in the code that is not here fails the test.

/** Differences that the model knows. `without` one of them it predicts what httpd would do in its place. */
export const PREDICTED = {
  levels: 'a member that joins or returns is put at the level of the others',
  busy: 'busy is released when the attempt ends',
  sessionCredits: 'a session credits only offered members',
} as const;

export type Predicted = keyof typeof PREDICTED;

export const ALL_PREDICTED = Object.keys(PREDICTED) as readonly Predicted[];

/** Differences that no drawn story meets, and why not. */
export const AVOIDED: Readonly<Record<string, string>> = {
  'lbstatus saturates': 'stories are far shorter than the thousand rounds after which it does',
  'a queue serves every waiter in turn': 'no balancer has a timeout, so nobody waits',
  'heartbeat respects sets, roles and drain': 'heartbeat draws at random and cannot be compared one for one',
  'draws from 0 to slots - 1': 'heartbeat draws at random and cannot be compared one for one',
  'where members report in answers only, one that is silent counts one slot': 'nobody reports',
  'a name that does not resolve sends the request to the next member': 'members are addresses',
  'a full member does not go into error': 'connections to members are not limited',
  'a member that dies before it answers costs an idempotent request nothing': 'members that are up answer',
  'a response that does not begin in time is 504, and an idempotent request may fail over':
    'members that are up answer',
  'an empty cookie is none wherever it stands': 'cookies have values',
  'a header may carry the session too': 'sessions are in cookies and URLs',
  'cookie names match whole names only': 'names are whole',
  'parameter names match whole names only': 'names are whole',
  'an empty value is none': 'parameters have values',
  '`;jsessionid=x.route/next` ends at "/", and ";" always ends a value, also in the query': 'parameters end the path',
};
