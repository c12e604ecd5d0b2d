// What a story is played on: httpd or Evenkeel, each with one balancer for the story.
import type { ClientAnswer, ClientRequest } from './client.ts';
import type { Side } from './stage.ts';
import type { Change, Shape } from './story.ts';

export interface ProxySide {
  readonly side: Side;
  request(request: ClientRequest): Promise<ClientAnswer>;
  /** A request of which the answer is not waited for; on a connection of its own. `close` resolves when it is over. */
  open(request: ClientRequest): Promise<{ readonly answer: Promise<ClientAnswer>; close(): Promise<void> }>;
  /** A member was changed; `shape` is how it all is now. Resolves when that is served. */
  change(index: number, change: Change, shape: Shape, urls: readonly string[]): Promise<void>;
  /** The last of `urls` joined. */
  join(shape: Shape, urls: readonly string[]): Promise<void>;
  changeMethod(shape: Shape, urls: readonly string[]): Promise<void>;
  /** A member closed its idle connections: resolves when that cannot matter any more. */
  noticeClosed(): Promise<void>;
  close(): void;
}
