// What is drawn: a configuration of a balancer, and what happens to it. Plain data; the same story is played on httpd
// and on Evenkeel. Members are named by their index; an event that makes no sense where it stands does nothing.

export type Method = 'byrequests' | 'bytraffic' | 'bybusyness';
export type Role = 'Active' | 'HotSpare' | 'HotStandby';
export type State = 'Enabled' | 'Draining' | 'Disabled' | 'Stopped';

export interface StoryMember {
  /** As it is written in a configuration: 1, 2.25. */
  readonly factor: number;
  readonly lbSet: number;
  readonly role: Role;
  readonly state: State;
  readonly ignoresErrors: boolean;
  /** Session route of the member that takes sessions over; '' for none. Its own is `r` and its index. */
  readonly redirect: string;
}

export interface Sticky {
  readonly rejects: boolean;
  /** '' : the whole value is the route. */
  readonly separator: '.' | '';
}

/** Where a request carries its session. */
export type SessionPlace = 'cookie' | 'query' | 'path';

export interface SessionOf {
  readonly route: string;
  readonly place: SessionPlace;
}

export type Change =
  | { readonly state: State }
  | { readonly role: Role }
  | { readonly factor: number }
  | { readonly lbSet: number };

/** Bytes of the bodies of a request and of its answer. */
export interface Sizes {
  readonly up: number;
  readonly down: number;
}

export type Event =
  /** `status`: what the member answers. */
  | { readonly op: 'request'; readonly sizes: Sizes; readonly session: SessionOf | null; readonly status: number }
  /** A request whose answer is held back until `close`. */
  | { readonly op: 'open'; readonly sizes: Sizes; readonly session: SessionOf | null }
  /** `at`: the place among those that are open. */
  | { readonly op: 'close'; readonly at: number }
  /** The member refuses connections from now on, or takes them again. */
  | { readonly op: 'down' | 'up'; readonly at: number }
  /** So long that every member's rest is over. */
  | { readonly op: 'rest' }
  | { readonly op: 'set'; readonly at: number; readonly change: Change }
  /** One more member, with nothing but an address. */
  | { readonly op: 'join' }
  | { readonly op: 'method'; readonly method: Method };

export interface Story {
  readonly method: Method;
  readonly members: readonly StoryMember[];
  /** Whole seconds: httpd 2.4 reads nothing else. */
  readonly retrySeconds: number;
  /** null: the default. */
  readonly maxAttempts: number | null;
  readonly forceRecovery: boolean;
  readonly failOnStatus: readonly number[];
  readonly sticky: Sticky | null;
  readonly events: readonly Event[];
}

/** Most members that may join while a story is played. */
export const MAX_JOINING = 2;

/** What a member that joins has. */
export const newcomer: StoryMember = {
  factor: 1,
  lbSet: 0,
  role: 'Active',
  state: 'Enabled',
  ignoresErrors: false,
  redirect: '',
};

/** What every member of a story can have at one time. */
export interface Shape {
  readonly method: Method;
  readonly members: readonly StoryMember[];
}

/** The shape before any event. */
export function firstShape(story: Story): Shape {
  return { method: story.method, members: story.members };
}

/** The shape after an event, or the same object where the event does not touch it. `open`: requests under way. */
export function shapeAfter(shape: Shape, event: Event, story: Story, open: number): Shape {
  switch (event.op) {
    case 'set': {
      const index = event.at % shape.members.length;
      const member = shape.members[index]!;
      const isSame = Object.entries(event.change).every(
        ([field, value]) => member[field as keyof StoryMember] === value,
      );
      return isSame ? shape : { ...shape, members: shape.members.with(index, { ...member, ...event.change }) };
    }
    case 'join':
      return mayJoin(shape, story, open) ? { ...shape, members: [...shape.members, newcomer] } : shape;
    case 'method':
      // httpd forgets who is busy when the method changes.
      return open > 0 || event.method === shape.method ? shape : { ...shape, method: event.method };
    default:
      return shape;
  }
}

/**
 * A default maxattempts follows the members here, and stays what it was in httpd. There, a member that joins rests for
 * 60 seconds whatever the others do, which is for ever in a story.
 */
function mayJoin({ members }: Shape, { members: first, maxAttempts, retrySeconds }: Story, open: number): boolean {
  return open === 0 && maxAttempts !== null && retrySeconds >= 60 && members.length < first.length + MAX_JOINING;
}

/** Further attempts after the first. */
export function maxAttemptsOf(story: Story): number {
  return story.maxAttempts ?? story.members.length - 1;
}
