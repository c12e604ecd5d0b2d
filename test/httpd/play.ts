// Plays one story on both proxies, event by event, and writes down what was seen. Judges nothing.
import type { ClientRequest } from './client.ts';
import type { ProxySide } from './proxy-side.ts';
import type { Span } from './span.ts';
import type { Arrival, Stage, StageMember } from './stage.ts';
import {
  type Event,
  firstShape,
  type SessionOf,
  type Shape,
  type Sizes,
  shapeAfter,
  type Sticky,
  type Story,
} from './story.ts';

/** One request as one side had it. */
export interface Seen {
  /** The index of the member that was asked and is up; null: none. */
  readonly member: number | null;
  readonly status: number;
  /** Bytes of the request as the member got it; 0 where none did. */
  readonly sent: number;
  readonly span: Span;
}

/** What one side did, by the place of the request's event. */
export type SideRecord = ReadonlyMap<number, Seen>;

export type Transcript = Readonly<Record<ProxySide['side'], SideRecord>>;

/** What a story is played with. */
export interface Cast {
  readonly host: string;
  /** The members, those that may join included. */
  readonly members: readonly StageMember[];
  readonly stage: Stage;
  /** Headers that make the heads that members get from both sides equally long. */
  readonly padding: Readonly<Record<ProxySide['side'], string>>;
}

/** Paths of requests: `/s0007/12`. The log of httpd tells them. */
export function pathOf(host: string, event: number): string {
  return `/${host.split('.', 1)[0]}/${event}`;
}

/** What lets a held request go on, on each side where it is under way; that may be one of them, or none. */
type Open = readonly (() => Promise<void>)[];

export async function play(story: Story, cast: Cast, sides: readonly ProxySide[]): Promise<Transcript> {
  const player = new Player(story, cast, sides);
  for (const [at, event] of story.events.entries()) await player.play(event, at);
  await player.closeAll();
  return player.transcript;
}

class Player {
  readonly #story: Story;
  readonly #cast: Cast;
  readonly #sides: readonly ProxySide[];
  readonly transcript = { httpd: new Map<number, Seen>(), evenk: new Map<number, Seen>() };
  #shape: Shape;
  #open: readonly Open[] = [];
  /** Whether a member may be resting. */
  #mayRest = false;

  constructor(story: Story, cast: Cast, sides: readonly ProxySide[]) {
    this.#story = story;
    this.#cast = cast;
    this.#sides = sides;
    this.#shape = firstShape(story);
  }

  async play(event: Event, at: number): Promise<void> {
    switch (event.op) {
      case 'request':
        return this.#onEach((side) => this.#request(side, at, event));
      case 'open':
        return this.#startOpen(at, { ...event, status: 200 });
      case 'close':
        return this.#close(event.at);
      case 'down':
      case 'up':
        return this.#switch(event.op, event.at);
      case 'rest':
        return this.#rest();
      case 'set':
      case 'join':
      case 'method':
        return this.#reshape(event);
      default:
        return event satisfies never;
    }
  }

  async closeAll(): Promise<void> {
    while (this.#open.length > 0) await this.#close(0);
  }

  async #onEach(action: (side: ProxySide) => Promise<void>): Promise<void> {
    await Promise.all(this.#sides.map(action));
  }

  async #request(side: ProxySide, at: number, { sizes, session, status: answered }: Asked): Promise<void> {
    const { stage, host } = this.#cast;
    const arrival = watch(stage.expect(side.side, pathOf(host, at), sizes.down, answered, false));
    const from = performance.now();
    const { status } = await side.request(this.#requestOf(side, at, sizes, session));
    this.#note(side, at, arrival.value, status, from);
  }

  async #startOpen(at: number, event: Asked): Promise<void> {
    const closers: (() => Promise<void>)[] = [];
    await this.#onEach(async (side) => {
      const { stage, host } = this.#cast;
      const path = pathOf(host, at);
      const arrived = stage.expect(side.side, path, event.sizes.down, 200, true);
      const arrival = watch(arrived);
      const from = performance.now();
      const { answer, close } = await side.open(this.#requestOf(side, at, event.sizes, event.session));
      // Either a member has it, or nobody could take it.
      const early = await Promise.race([arrived.then(() => null), answer]);
      this.#note(side, at, arrival.value, early?.status ?? 200, from);
      if (early !== null) return close();
      closers.push(async () => {
        stage.release(side.side, path);
        await close();
      });
    });
    this.#open = [...this.#open, closers];
  }

  async #close(at: number): Promise<void> {
    const index = at % Math.max(1, this.#open.length);
    const one = this.#open[index];
    await Promise.all(one?.map((close) => close()) ?? []);
    this.#open = this.#open.toSpliced(index, 1);
  }

  async #switch(op: 'down' | 'up', at: number): Promise<void> {
    const member = this.#cast.members[at % this.#shape.members.length]!;
    if (op === 'up') return member.listen();
    this.#mayRest = true;
    member.refuse();
    for (const side of this.#sides) await side.noticeClosed();
  }

  async #rest(): Promise<void> {
    const { retrySeconds } = this.#story;
    if (!this.#mayRest || retrySeconds === 0 || retrySeconds > 10) return;
    await new Promise((resolve) => setTimeout(resolve, retrySeconds * 1000 + 100));
  }

  async #reshape(event: Event): Promise<void> {
    const before = this.#shape;
    this.#shape = shapeAfter(before, event, this.#story, this.#open.length);
    const shape = this.#shape;
    if (shape === before) return;
    const urls = this.#cast.members.slice(0, shape.members.length).map(({ url }) => url);
    await this.#onEach(async (side) => {
      if (event.op === 'set') await side.change(event.at % shape.members.length, event.change, shape, urls);
      if (event.op === 'join') await side.join(shape, urls);
      if (event.op === 'method') await side.changeMethod(shape, urls);
    });
  }

  #note(side: ProxySide, at: number, arrival: Arrival | null, status: number, from: number): void {
    const span = { from, to: performance.now() };
    const seen = { member: arrival?.member ?? null, status, sent: arrival?.sent ?? 0, span };
    this.transcript[side.side].set(at, seen);
  }

  #requestOf(side: ProxySide, at: number, { up }: Sizes, session: SessionOf | null): ClientRequest {
    const { host, padding } = this.#cast;
    const carried = carry(session, this.#story.sticky);
    const headers = { host, 'x-side': side.side, 'x-pad': padding[side.side], ...carried.headers };
    const path = pathOf(host, at) + carried.suffix;
    if (up === 0) return { method: 'GET', path, headers, body: null };
    return { method: 'POST', path, headers: { ...headers, 'content-length': String(up) }, body: Buffer.alloc(up, 'y') };
  }
}

interface Asked {
  readonly sizes: Sizes;
  readonly session: SessionOf | null;
  readonly status: number;
}

interface Carried {
  readonly suffix: string;
  readonly headers: Readonly<Record<string, string>>;
}

function carry(session: SessionOf | null, sticky: Sticky | null): Carried {
  if (session === null || sticky === null) return { suffix: '', headers: {} };
  const value = sticky.separator === '' ? session.route : `id${sticky.separator}${session.route}`;
  switch (session.place) {
    case 'cookie':
      return { suffix: '', headers: { cookie: `SID=${value}` } };
    case 'query':
      return { suffix: `?sid=${value}`, headers: {} };
    case 'path':
      return { suffix: `;sid=${value}`, headers: {} };
  }
}

/** The value of a promise as soon as it is there, without waiting. */
function watch<T>(promise: Promise<T>): { readonly value: T | null } {
  const watched: { value: T | null } = { value: null };
  void promise.then((value) => {
    watched.value = value;
  });
  return watched;
}
