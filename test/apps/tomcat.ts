// A real Tomcat 10 in a folder of its own (CATALINA_BASE), on a port that it finds itself, with an application of a few JSPs
// that keeps a counter in the HttpSession. Needs Debian's tomcat10-common, or the home of one in CATALINA_HOME.
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { TestContext } from 'vitest';
import { within } from '../helpers/patience.ts';

/** From the start of a JVM to the end of its start-up, on a busy machine. Milliseconds. */
const START_MS = 60_000;

/** Where a Tomcat 10 is on this machine, or null. */
function findTomcat(): string | null {
  const homes = [process.env.CATALINA_HOME ?? '', '/usr/share/tomcat10'];
  const home = homes.find((folder) => folder !== '' && existsSync(join(folder, 'lib', 'catalina.jar')));
  return home === undefined || spawnSync('java', ['-version']).status !== 0 ? null : home;
}

/** A Tomcat, or a loud word about what is not tested without one. */
export function requireTomcat(context: TestContext): string {
  const home = findTomcat();
  if (home !== null) return home;
  const reason =
    'there is no Tomcat 10 with a Java on this machine: SESSIONS OF A REAL TOMCAT ARE NOT TESTED. Install it (Debian: apt-get install tomcat10-common; it need not run), or say where it is in CATALINA_HOME.';
  // Where .ci/run could install it there is no excuse.
  if (process.env.CI !== undefined && process.getuid?.() === 0 && existsSync('/usr/bin/apt-get')) {
    throw new Error(reason);
  }
  console.error(`test/apps is skipped in part: ${reason}`);
  return context.skip(reason);
}

/** What `/` says of the session. */
export interface TomcatPage {
  readonly name: string;
  /** The session as the application knows it; with the jvmRoute, where there is one. */
  readonly id: string;
  /** Requests of this session. */
  readonly count: number;
  /** The id that the request carried, and where. */
  readonly asked: string | null;
  readonly isFromUrl: boolean;
  /** A link as the application writes it into its pages. */
  readonly link: string;
  readonly user: string | null;
}

const page = `<%@ page contentType="application/json" %><%
Integer count = (Integer) session.getAttribute("count");
session.setAttribute("count", count == null ? 1 : count + 1);
String asked = request.getRequestedSessionId();
Object user = session.getAttribute("user");
out.print("{\\"name\\":\\"" + application.getInitParameter("name") + "\\",\\"id\\":\\"" + session.getId()
  + "\\",\\"count\\":" + session.getAttribute("count") + ",\\"asked\\":" + (asked == null ? "null" : "\\"" + asked + "\\"")
  + ",\\"isFromUrl\\":" + request.isRequestedSessionIdFromURL() + ",\\"link\\":\\"" + response.encodeURL("/") + "\\",\\"user\\":"
  + (user == null ? "null" : "\\"" + user + "\\"") + "}");
%>`;

// As servlet containers do at a login by a form: another id for the same session, and a redirect.
const login = `<%
session.setAttribute("user", request.getParameter("user"));
request.changeSessionId();
response.sendRedirect(response.encodeRedirectURL("/"));
%>`;

const logout = '<% session.invalidate(); %>';

const serverXml = (jvmRoute: string | null): string => `<Server port="-1">
  <Service name="Catalina">
    <Connector port="0" address="127.0.0.1" protocol="HTTP/1.1" maxThreads="8" minSpareThreads="2" />
    <Engine name="Catalina" defaultHost="localhost"${jvmRoute === null ? '' : ` jvmRoute="${jvmRoute}"`}>
      <Host name="localhost" appBase="webapps" autoDeploy="false" deployXML="true" startStopThreads="1" />
    </Engine>
  </Service>
</Server>
`;

const webXml = (
  name: string,
): string => `<web-app xmlns="https://jakarta.ee/xml/ns/jakartaee" version="6.0" metadata-complete="true">
  <context-param><param-name>name</param-name><param-value>${name}</param-value></context-param>
  <servlet>
    <servlet-name>jsp</servlet-name>
    <servlet-class>org.apache.jasper.servlet.JspServlet</servlet-class>
    <init-param><param-name>development</param-name><param-value>false</param-value></init-param>
  </servlet>
  <servlet-mapping><servlet-name>jsp</servlet-name><url-pattern>*.jsp</url-pattern></servlet-mapping>
  <welcome-file-list><welcome-file>index.jsp</welcome-file></welcome-file-list>
</web-app>
`;

// No scan of jars, no sessions kept on the disk over a restart: they are in memory, as most have them.
const contextXml = `<Context>
  <Manager pathname="" />
  <JarScanner scanClassPath="false" scanManifest="false"><JarScanFilter tldSkip="*" pluggabilitySkip="*" /></JarScanner>
</Context>
`;

const loggingProperties = `handlers = java.util.logging.ConsoleHandler
.level = INFO
java.util.logging.ConsoleHandler.level = INFO
java.util.logging.ConsoleHandler.formatter = org.apache.juli.OneLineFormatter
`;

export class Tomcat implements AsyncDisposable {
  readonly name: string;
  port = 0;
  readonly #folder: string;
  readonly #child: ChildProcess;
  readonly #ended: Promise<void>;
  readonly #killAtExit = (): void => void this.#child.kill('SIGKILL');
  #written = '';

  /** Resolves when it serves and its pages are compiled. `jvmRoute` null: none is set. */
  static async start(home: string, name: string, jvmRoute: string | null): Promise<Tomcat> {
    const tomcat = new Tomcat(home, name, jvmRoute);
    try {
      await tomcat.#serves();
    } catch (error) {
      await tomcat[Symbol.asyncDispose]();
      throw error;
    }
    return tomcat;
  }

  private constructor(home: string, name: string, jvmRoute: string | null) {
    this.name = name;
    this.#folder = mkdtempSync(join(tmpdir(), 'evenkeel-tomcat-'));
    const root = join(this.#folder, 'webapps', 'ROOT');
    for (const folder of ['conf', 'temp', 'work', 'logs']) mkdirSync(join(this.#folder, folder));
    mkdirSync(join(root, 'WEB-INF'), { recursive: true });
    const files: Readonly<Record<string, string>> = {
      'conf/server.xml': serverXml(jvmRoute),
      'conf/web.xml': webXml(name),
      'conf/context.xml': contextXml,
      'conf/logging.properties': loggingProperties,
      'webapps/ROOT/WEB-INF/web.xml': webXml(name),
      'webapps/ROOT/index.jsp': page,
      'webapps/ROOT/login.jsp': login,
      'webapps/ROOT/logout.jsp': logout,
    };
    for (const [path, text] of Object.entries(files)) writeFileSync(join(this.#folder, path), text);
    const classPath = ['bootstrap.jar', 'tomcat-juli.jar'].map((jar) => join(home, 'bin', jar)).join(':');
    const settings = {
      'catalina.home': home,
      'catalina.base': this.#folder,
      'java.io.tmpdir': join(this.#folder, 'temp'),
      'java.util.logging.manager': 'org.apache.juli.ClassLoaderLogManager',
      'java.util.logging.config.file': join(this.#folder, 'conf', 'logging.properties'),
      'java.security.egd': 'file:/dev/./urandom',
      // Its lines are read.
      'user.language': 'en',
    };
    this.#child = spawn(
      'java',
      [
        // Quick to start and small rather than fast.
        ...['-XX:TieredStopAtLevel=1', '-XX:+UseSerialGC', '-Xshare:auto', '-Xmx128m'],
        ...Object.entries(settings).map(([key, value]) => `-D${key}=${value}`),
        ...['-cp', classPath, 'org.apache.catalina.startup.Bootstrap', 'start'],
      ],
      { stdio: ['ignore', 'pipe', 'pipe'], cwd: this.#folder },
    );
    this.#ended = new Promise((resolve) => {
      this.#child.once('close', () => resolve());
      this.#child.once('error', () => resolve());
    });
    process.once('exit', this.#killAtExit);
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  async #serves(): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const take = (line: string): void => {
      this.#written += `${line}\n`;
      const [, port] = /"http-nio-[^"]*-auto-\d+-(\d+)"/.exec(line) ?? [];
      if (port !== undefined) this.port = Number(port);
      if (line.includes('Server startup in')) resolve();
    };
    createInterface({ input: this.#child.stdout! }).on('line', take);
    createInterface({ input: this.#child.stderr! }).on('line', take);
    void this.#ended.then(() => reject(new Error(`Tomcat ended:\n${this.#written}`)));
    await within(promise, () => `Tomcat to be up:\n${this.#written}`, START_MS);
    const { status } = await fetch(`${this.url}/`);
    if (status !== 200) throw new Error(`Tomcat answers ${status}:\n${this.#written}`);
  }

  /** As the kubelet ends it. */
  async stop(): Promise<void> {
    this.#child.kill('SIGTERM');
    await within(this.#ended, () => `Tomcat to stop:\n${this.#written}`, 20_000);
  }

  async kill(): Promise<void> {
    this.#child.kill('SIGKILL');
    await this.#ended;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill();
    process.off('exit', this.#killAtExit);
    rmSync(this.#folder, { recursive: true, force: true });
  }
}
