// One httpd and one Evenkeel for a list of stories, all of them played, several at a time, and judged.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startEvenkeel } from '../helpers/evenkeel-process.ts';
import { Apache, type ApacheHome } from './apache.ts';
import { ApacheSide } from './apache-side.ts';
import { type Counters, virtualHost } from './apache-text.ts';
import { readAttempts } from './election-log.ts';
import { EvenkeelCounters } from './evenkeel-counters.ts';
import { EvenkeelSide, writeBalancer } from './evenkeel-side.ts';
import { type Judgement, judge } from './judge.ts';
import { measurePadding, type Padding, plainStory } from './padding.ts';
import { play, type Transcript } from './play.ts';
import { Stage, type StageMember } from './stage.ts';
import { firstShape, MAX_JOINING, type Story } from './story.ts';

/** Stories that are played at the same time: while some wait for a file to be read or a rest to end, others go on. */
const TOGETHER = 32;

interface Stand {
  readonly story: Story;
  readonly name: string;
  readonly host: string;
  /** Those that may join included. */
  readonly members: readonly StageMember[];
  readonly urls: readonly string[];
}

interface Played {
  readonly transcript: Transcript;
  /** Of httpd. */
  readonly counters: readonly Counters[];
}

/** Writes the first version of a story's Balancer into the folder that Evenkeel serves. */
export type FirstWriter = (
  folder: string,
  stand: { readonly story: Story; readonly name: string; readonly host: string; readonly urls: readonly string[] },
) => void;

const writeFirst: FirstWriter = (folder, { name, host, story, urls }) => {
  writeBalancer(folder, name, host, 1, story, firstShape(story), urls);
};

/** Judgements in the order of the stories. Call it within a test. */
export async function playAll(
  home: ApacheHome,
  stories: readonly Story[],
  write: FirstWriter = writeFirst,
): Promise<readonly Judgement[]> {
  const folder = mkdtempSync(join(tmpdir(), 'evenkeel-test-'));
  try {
    await using stage = await Stage.open();
    // The first one only measures.
    const stands: Stand[] = [];
    for (const [index, story] of [plainStory, ...stories].entries()) stands.push(await setUp(stage, story, index));
    await using apache = await Apache.start(
      home,
      stands.map(({ name, host, story, urls }) => virtualHost(name, host, story, urls)).join(''),
    );
    for (const stand of stands) write(folder, stand);
    await using evenkeel = await startEvenkeel(['--config', folder, '--lanes', '1']);
    const place = { folder, port: evenkeel.httpPort };
    const playOne = async (stand: Stand, padding: Padding | null): Promise<Played & { padding: Padding }> => {
      const { story, name, host } = stand;
      const httpd = new ApacheSide(apache, story, name, host);
      const evenk = new EvenkeelSide(place, story, name, host);
      const sides = [httpd, evenk];
      try {
        const known = padding ?? (await measurePadding({ ...stand, stage }, sides));
        const transcript = await play(story, { ...stand, stage, padding: known }, sides);
        return { transcript, counters: await httpd.counters(), padding: known };
      } finally {
        for (const side of sides) side.close();
      }
    };
    const { padding } = await playOne(stands[0]!, null);
    const played = await inTurns(stands, TOGETHER, (stand) => playOne(stand, padding));
    const attempts = readAttempts(apache.log, new Map(stands.map(({ name, urls }) => [name, urls])));
    const counters = await EvenkeelCounters.read(evenkeel.adminPort);
    return stands.slice(1).map(({ story, name, urls }, index) => {
      const { transcript, counters: ofHttpd } = played[index + 1]!;
      return judge(
        story,
        { requests: transcript.httpd, counters: ofHttpd, attempts: attempts.get(name) ?? new Map() },
        { requests: transcript.evenk, counters: counters.of(name, urls), attempts: null },
      );
    });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function setUp(stage: Stage, story: Story, index: number): Promise<Stand> {
  // Names of one length, lest heads differ by it.
  const name = `s${String(index).padStart(5, '0')}`;
  const members: StageMember[] = [];
  const most = story.members.length + (story.events.some(({ op }) => op === 'join') ? MAX_JOINING : 0);
  for (let place = 0; place < most; place += 1) members.push(await stage.add(place));
  return { story, name, host: `${name}.test`, members, urls: members.map(({ url }) => url) };
}

/** The results in order; at most `together` are under way at a time. */
async function inTurns<T, R>(
  items: readonly T[],
  together: number,
  action: (item: T) => Promise<R>,
): Promise<readonly R[]> {
  const results: R[] = [];
  const queue = items.entries();
  await Promise.all(
    Array.from({ length: together }, async () => {
      for (const [index, item] of queue) results[index] = await action(item);
    }),
  );
  return results;
}
