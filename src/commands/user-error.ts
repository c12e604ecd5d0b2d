// A fault that a person can mend: it is shown as one line on stderr and ends the command, never with a stack trace.

export class UserError extends Error {
  /** 2: the command line is wrong. 1: anything else. */
  readonly exitCode: 1 | 2;

  constructor(message: string, exitCode: 1 | 2 = 1) {
    super(message);
    this.name = 'UserError';
    this.exitCode = exitCode;
  }
}

/** A fault of the command line itself. */
export function usageError(message: string): UserError {
  return new UserError(message, 2);
}

/** What the system said of a path or a port, in one line; null if it is no fault of the system. */
export function describeSystemFault(error: unknown): string | null {
  if (!(error instanceof Error)) return null;
  const { code, syscall, path, port, address } = error as Error & Readonly<Record<string, unknown>>;
  if (typeof code !== 'string') return null;
  if (typeof address === 'string' && (syscall === 'listen' || syscall === 'bind')) {
    return describeListenFault(code, address, Number(port ?? 0));
  }
  if (typeof path !== 'string') return null;
  switch (code) {
    case 'ENOENT':
      return `${path} does not exist`;
    case 'EACCES':
    case 'EPERM':
      return `${path} may not be read by this process (${code})`;
    default:
      return `${path}: ${error.message}`;
  }
}

/** Why nobody can listen there. */
export function describeListenFault(code: string, bind: string, port: number): string {
  switch (code) {
    case 'EADDRINUSE':
      return `port ${port} on ${bind} is taken`;
    case 'EACCES':
    case 'EPERM':
      return `port ${port} on ${bind} may not be opened by this process (${code}); ports below 1024 need a privilege`;
    case 'EADDRNOTAVAIL':
      return `${bind} is not an address of this machine`;
    case 'EAFNOSUPPORT':
      return `${bind} is of an address family that this machine does not have`;
    default:
      return `cannot listen on port ${port} of ${bind} (${code})`;
  }
}
