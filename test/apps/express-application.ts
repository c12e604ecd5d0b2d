// A web application as many are: Express, with express-session in its memory, a login and a cart. It knows nothing of a load
// balancer. Run as `node express-application.ts NAME`; says `listening PORT` when it serves.
import type { AddressInfo } from 'node:net';
import express from 'express';
import session from 'express-session';

const [, , name = ''] = process.argv;
const application = express();

// Rolling: every answer sets the cookie anew, which is the hardest case for whoever appends to it. The secret is the same in
// every process, as in a deployment.
application.use(
  session({
    secret: 'keyboard cat',
    resave: false,
    saveUninitialized: false,
    rolling: true,
    cookie: { maxAge: 3_600_000 },
  }),
);

application.get('/', ({ session: { user, count = 0 }, sessionID, headers }, response) => {
  response.json({ name, user: user ?? null, count, id: sessionID, cookie: headers.cookie ?? '' });
});

// A new id at login, against session fixation.
application.post('/login', (request, response, next) => {
  request.session.regenerate((error) => {
    if (error) return next(error);
    request.session.user = request.query.user ?? '';
    request.session.count = 0;
    response.json({ name });
  });
});

application.post('/cart', ({ session: cart }, response) => {
  if (cart.user === undefined) return response.status(401).json({ name });
  cart.count = (cart.count ?? 0) + 1;
  response.json({ name, user: cart.user, count: cart.count });
});

application.post('/logout', (request, response, next) => {
  request.session.destroy((error) => {
    if (error) return next(error);
    response.clearCookie('connect.sid').json({ name });
  });
});

const server = application.listen(0, '127.0.0.1', () => {
  console.log(`listening ${(server.address() as AddressInfo).port}`);
});
// As is wise behind any proxy: it closes idle connections first, so that no POST meets one that is just being closed.
server.keepAliveTimeout = 120_000;
