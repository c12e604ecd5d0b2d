// Loaded with --import into a process that must not outlive the one that started it: when the channel between the two
// breaks, because the parent is gone for whatever reason, it is told to end.
import { isMainThread } from 'node:worker_threads';

if (isMainThread && process.channel !== undefined) {
  process.on('disconnect', () => process.kill(process.pid, 'SIGTERM'));
  // The channel alone keeps nobody alive.
  process.channel.unref();
}
