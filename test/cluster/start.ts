// A control plane to try things on by hand, with the CRD in it: `test/cluster/inside node test/cluster/start.ts`. Prints
// how to reach it and runs until Ctrl-C; with arguments, runs them as a command with KUBECONFIG set, then ends.
import { spawn } from 'node:child_process';
import { absence, startControlPlane } from './control-plane.ts';
import { applyCrds } from './crds.ts';

if (absence !== null) process.exit(1);
await using plane = await startControlPlane();
await applyCrds(plane.admin);
const kubeconfig = plane.kubeconfig();
const [command, ...args] = process.argv.slice(2);
const { promise: ended, resolve: end } = Promise.withResolvers<void>();
process.once('SIGINT', () => end());
process.once('SIGTERM', () => end());
if (command === undefined) {
  console.log(`API server: ${plane.server}, logs in ${plane.folder}
from another shell (root): nsenter --net --target ${process.pid} env KUBECONFIG=${kubeconfig} kubectl get balancers`);
} else {
  const child = spawn(command, args, { stdio: 'inherit', env: { ...process.env, KUBECONFIG: kubeconfig } });
  child.once('error', (error) => {
    console.error(error.message);
    end();
  });
  child.once('exit', (code) => {
    process.exitCode = code ?? 1;
    end();
  });
}
await ended;
