// As much of the face of express and express-session as the application here uses; neither brings types.
declare module 'express-session' {
  import type { RequestHandler } from 'express';
  export interface Session {
    user?: string;
    count?: number;
    regenerate(done: (error: unknown) => void): void;
    destroy(done: (error: unknown) => void): void;
  }
  // biome-ignore lint/style/noDefaultExport: so has the package
  export default function session(options: {
    secret: string;
    resave: boolean;
    saveUninitialized: boolean;
    rolling: boolean;
    cookie: { maxAge: number };
  }): RequestHandler;
}

declare module 'express' {
  import type { IncomingMessage, Server, ServerResponse } from 'node:http';
  import type { Session } from 'express-session';
  export interface Request extends IncomingMessage {
    session: Session;
    sessionID: string;
    query: Record<string, string | undefined>;
  }
  export interface Response extends ServerResponse {
    json(body: unknown): void;
    clearCookie(name: string): Response;
    status(code: number): Response;
  }
  export type RequestHandler = (request: Request, response: Response, next: (error?: unknown) => void) => void;
  export interface Express {
    use(handler: RequestHandler): void;
    get(path: string, handler: RequestHandler): void;
    post(path: string, handler: RequestHandler): void;
    listen(port: number, host: string, done: () => void): Server;
  }
  // biome-ignore lint/style/noDefaultExport: so has the package
  export default function express(): Express;
}
