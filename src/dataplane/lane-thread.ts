// Entry of a lane's worker thread: hands the thread's message port to the lane, and nothing else.
import { parentPort } from 'node:worker_threads';
import { runLane } from './lane.ts';

if (parentPort === null) throw new Error('lane-thread.ts runs as a worker thread only');
runLane(parentPort);
