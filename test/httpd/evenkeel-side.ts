// One story on Evenkeel: its file, its hosts, its clients.
import { renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Client, type ClientAnswer, type ClientRequest } from './client.ts';
import { balancerText, MAX_BODY_BYTES } from './evenkeel-text.ts';
import type { ProxySide } from './proxy-side.ts';
import type { Change, Shape, Story } from './story.ts';

/** Between two looks whether a change is served. */
const LOOK_MS = 15;
const PATIENCE_MS = 30_000;

/** Where a story's Evenkeel is, and how its numbers are read. */
export interface EvenkeelPlace {
  readonly port: number;
  /** The folder that it serves. */
  readonly folder: string;
}

/** Writes the file of a story; returns the host that there is in this version only. The first version is 1. */
export function writeBalancer(
  folder: string,
  name: string,
  host: string,
  version: number,
  story: Story,
  shape: Shape,
  urls: readonly string[],
): string {
  const marker = `v${version}.${host}`;
  // A hidden file is not read; a renamed one is there at once.
  const next = join(folder, `.${name}`);
  writeFileSync(next, balancerText(name, [host, marker], story, shape, urls));
  renameSync(next, join(folder, `${name}.yaml`));
  return marker;
}

export class EvenkeelSide implements ProxySide {
  readonly side = 'evenk';
  readonly #place: EvenkeelPlace;
  readonly #story: Story;
  readonly #name: string;
  readonly #host: string;
  readonly #main: Client;
  readonly #probe: Client;
  #version = 1;

  constructor(place: EvenkeelPlace, story: Story, name: string, host: string) {
    this.#place = place;
    this.#story = story;
    this.#name = name;
    this.#host = host;
    this.#main = new Client(place.port);
    this.#probe = new Client(place.port);
  }

  async request(request: ClientRequest): Promise<ClientAnswer> {
    return this.#main.send(request);
  }

  async open(request: ClientRequest): Promise<{ readonly answer: Promise<ClientAnswer>; close(): Promise<void> }> {
    const client = new Client(this.#place.port);
    const answer = client.send(request);
    const close = async (): Promise<void> => {
      await answer;
      client.close();
    };
    return { answer, close };
  }

  async change(_index: number, _change: Change, shape: Shape, urls: readonly string[]): Promise<void> {
    await this.#writeAndWait(shape, urls);
  }

  async join(shape: Shape, urls: readonly string[]): Promise<void> {
    await this.#writeAndWait(shape, urls);
  }

  async changeMethod(shape: Shape, urls: readonly string[]): Promise<void> {
    await this.#writeAndWait(shape, urls);
  }

  /** Any answer that comes later than the end of a connection has been given by somebody who could see that end. */
  async noticeClosed(): Promise<void> {
    await this.#isServed('nobody.test');
  }

  close(): void {
    this.#main.close();
    this.#probe.close();
  }

  /** Each version has a host of its own. Once there is a rule for it, all of that version is served. */
  async #writeAndWait(shape: Shape, urls: readonly string[]): Promise<void> {
    this.#version += 1;
    const marker = writeBalancer(this.#place.folder, this.#name, this.#host, this.#version, this.#story, shape, urls);
    const endMs = performance.now() + PATIENCE_MS;
    while (!(await this.#isServed(marker))) {
      if (performance.now() > endMs) throw new Error(`version ${this.#version} of ${this.#name} is not served`);
      await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
    }
  }

  async #isServed(host: string): Promise<boolean> {
    const headers = { host, 'content-length': String(MAX_BODY_BYTES + 1), expect: '100-continue' };
    const { status } = await this.#probe.send({ method: 'POST', path: '/marker', headers, body: null });
    if (status !== 404 && status !== 413) throw new Error(`the probe of ${host} is answered with ${status}`);
    return status === 413;
  }
}
