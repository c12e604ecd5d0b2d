// Runs a lane in a process that has run out of descriptors, and prints what came of it. Started by a test.
import { closeSync, openSync } from 'node:fs';
import { startLane } from '../../helpers/lane-harness.ts';
import { RawMember } from '../../helpers/raw-member.ts';
import { get, ok } from './stage-messages.ts';

const held: number[] = [];

/** Takes every descriptor there is but `spare`. */
function exhaust(spare: number): void {
  try {
    while (true) held.push(openSync('/dev/null', 'r'));
  } catch {
    for (const descriptor of held.splice(-spare)) closeSync(descriptor);
  }
}

function recover(): void {
  for (const descriptor of held.splice(0)) closeSync(descriptor);
}

const member = (await new RawMember().listen()).answerAll(ok('fine', 'Connection: close'));
const lane = await startLane([member]);
// The code of everything is loaded, and the member has answered once.
const first = await lane.client();
await first.send(get()).takeMessage();

// One for the client, none for the lane's side of it: the kernel has accepted it, the lane cannot.
exhaust(1);
const refused = await lane.client();
const whenAcceptFails = (await refused.gone()) === '' ? 'closed' : refused.text;
refused.destroy();
recover();

// One for each side of the client's connection, none for the member.
exhaust(2);
const client = await lane.client();
const whenConnectFails = (await client.send(get()).takeMessage()).head.split('\r\n')[0];
recover();

const afterwards = (await client.send(get()).takeMessage()).body;
console.log(
  JSON.stringify({ whenAcceptFails, whenConnectFails, afterwards, failed: lane.member('failed'), busy: lane.busy() }),
);
await lane.close();
await member.close();
