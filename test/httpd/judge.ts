// Compares what both proxies did with a story to what the model says, election by election, and says which differences
// by name it takes to explain what Evenkeel did.
import type { Counters } from './apache-text.ts';
import { ALL_PREDICTED, type Predicted } from './differences.ts';
import { Model, type Told } from './model.ts';
import type { SideRecord } from './play.ts';
import { statusLine } from './stage.ts';
import { type Event, firstShape, shapeAfter, type Story } from './story.ts';

/** Attempts of each request of httpd, by the place of its event, as its log tells them. */
export type Attempts = ReadonlyMap<number, readonly number[]>;

export interface Mismatch {
  /** Place of the event; the number of events for what was found at the end. */
  readonly event: number;
  readonly side: 'httpd' | 'Evenkeel';
  readonly text: string;
}

export interface Judgement {
  readonly mismatch: Mismatch | null;
  /** Whether times were too close to say anything. */
  readonly isUncertain: boolean;
  /** Elections of both sides together. */
  readonly elections: number;
  /** The differences without which Evenkeel would have elected otherwise. */
  readonly differences: readonly Predicted[];
}

/** One side of a story: what was seen of each request, and the counters at the end. */
export interface Evidence {
  readonly requests: SideRecord;
  readonly counters: readonly Counters[];
  /** null where nothing tells them. */
  readonly attempts: Attempts | null;
}

/** What a model says of a story. */
interface Prediction {
  readonly model: Model;
  readonly told: ReadonlyMap<number, Told>;
}

/** `evenkeel`: null where it was not played there. */
export function judge(story: Story, httpd: Evidence, evenkeel: Evidence | null): Judgement {
  const plain = predict(story, [], httpd.requests);
  let isUncertain = plain.model.isUncertain;
  let mismatch = compare('httpd', plain, httpd);
  let elections = electionsOf(plain);
  let differences: readonly Predicted[] = [];
  if (evenkeel !== null) {
    const ours = predict(story, ALL_PREDICTED, evenkeel.requests);
    isUncertain ||= ours.model.isUncertain;
    elections += electionsOf(ours);
    mismatch = earlier(mismatch, compare('Evenkeel', ours, evenkeel));
    differences = whatMatters(story, ours, evenkeel.requests);
    if (mismatch === null && differences.length === 0) mismatch = compareDirectly(httpd.requests, evenkeel.requests);
  }
  return { mismatch: isUncertain ? null : mismatch, isUncertain, elections, differences };
}

/** The differences that change a choice: where they are taken away, or where they are all there is. */
function whatMatters(story: Story, ours: Prediction, record: SideRecord): readonly Predicted[] {
  const none = predict(story, [], record);
  if (isAlike(ours, none)) return [];
  const matter = ALL_PREDICTED.filter((name) => {
    const others = ALL_PREDICTED.filter((other) => other !== name);
    return !isAlike(ours, predict(story, others, record)) || !isAlike(none, predict(story, [name], record));
  });
  // Two of them may come to the same only together.
  return matter.length > 0 ? matter : ALL_PREDICTED;
}

function predict(story: Story, differs: readonly Predicted[], record: SideRecord): Prediction {
  const model = new Model(story, differs);
  const told = new Map<number, Told>();
  let open: readonly number[] = [];
  let shape = firstShape(story);
  const answer = (at: number): void => {
    const { served } = told.get(at)!;
    const event = story.events[at]!;
    if (served !== null && 'sizes' in event) served.received += statusLine(200).length + event.sizes.down;
    model.finish(told.get(at)!);
  };
  const ask = (at: number, event: Extract<Event, { op: 'request' | 'open' }>): void => {
    const route = story.sticky === null ? null : (event.session?.route ?? null);
    const result = model.request(route, event.op === 'request' ? event.status : 200, record.get(at)!.span);
    if (result.served !== null) result.served.sent += record.get(at)!.sent;
    told.set(at, result);
    if (event.op === 'request' || result.served === null) answer(at);
    if (event.op === 'open') open = [...open, at];
  };
  for (const [at, event] of story.events.entries()) {
    const before = shape;
    shape = shapeAfter(shape, event, story, open.length);
    if (event.op === 'request' || event.op === 'open') ask(at, event);
    if (event.op === 'close' && open.length > 0) {
      const [closed] = open.slice(event.at % open.length);
      open = open.filter((one) => one !== closed);
      if (told.get(closed!)!.served !== null) answer(closed!);
    }
    if (event.op === 'down' || event.op === 'up')
      model.members[event.at % model.members.length]!.isUp = event.op === 'up';
    if (shape === before) continue;
    if (event.op === 'set') model.set(event.at % model.members.length, event.change);
    if (event.op === 'join') model.join();
    if (event.op === 'method') model.changeMethod(event.method);
  }
  for (const at of open) if (told.get(at)!.served !== null) answer(at);
  return { model, told };
}

function compare(side: Mismatch['side'], { model, told }: Prediction, evidence: Evidence): Mismatch | null {
  const { requests, attempts, counters } = evidence;
  for (const [at, { tried, status, served }] of told) {
    const seen = requests.get(at)!;
    const member = served === null ? null : model.members.indexOf(served);
    const expected = `${tried.join(' ')} → ${status}`;
    const triedThere = attempts === null ? null : (attempts.get(at) ?? []);
    const isSameTried = triedThere === null || triedThere.join() === tried.join();
    if (seen.member === member && seen.status === status && isSameTried) continue;
    const got = triedThere === null ? `… ${seen.member ?? ''}` : triedThere.join(' ');
    return { event: at, side, text: `expected ${expected}, saw ${got} → ${seen.status}` };
  }
  const last = told.size === 0 ? 0 : Math.max(...told.keys()) + 1;
  for (const [index, member] of model.members.entries()) {
    const there = counters[index];
    if (there === undefined) return { event: last, side, text: `there is no member ${index}` };
    const { elected, sent, received, isInError, busy } = member;
    // Evenkeel does not show its credits.
    const lbstatus = there.lbstatus === null ? null : member.lbstatus;
    const expected = { elected, sent, received, isInError, busy, lbstatus };
    for (const [name, value] of Object.entries(expected)) {
      const got = there[name as keyof typeof there];
      if (got === value) continue;
      return { event: last, side, text: `at the end ${name} of member ${index} is ${got}, expected ${value}` };
    }
  }
  return null;
}

/** Where no difference has any effect, both sides did the same: the model is not even asked. */
function compareDirectly(httpd: SideRecord, evenkeel: SideRecord): Mismatch | null {
  for (const [at, there] of httpd) {
    const here = evenkeel.get(at)!;
    if (here.member === there.member && here.status === there.status && here.sent === there.sent) continue;
    const text = `httpd: member ${there.member}, ${there.status}, ${there.sent} bytes; Evenkeel: member ${here.member}, ${here.status}, ${here.sent} bytes`;
    return { event: at, side: 'Evenkeel', text };
  }
  return null;
}

function isAlike(one: Prediction, other: Prediction): boolean {
  return [...one.told].every(([at, { tried }]) => tried.join() === other.told.get(at)!.tried.join());
}

function electionsOf({ told }: Prediction): number {
  return told.values().reduce((sum, { tried }) => sum + tried.length, 0);
}

function earlier(one: Mismatch | null, other: Mismatch | null): Mismatch | null {
  if (one === null || other === null) return one ?? other;
  return other.event < one.event ? other : one;
}
