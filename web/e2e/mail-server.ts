/** A mail server that takes everything and keeps it (RFC 5321), for a client that speaks plainly. */
import { once } from 'node:events';
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { createInterface } from 'node:readline';

export class MailServer {
  readonly mails: { to: string[]; text: string }[] = [];
  readonly #server: Server;
  readonly #open = new Set<Socket>();

  private constructor() {
    this.#server = createServer((socket) => {
      this.#open.add(socket);
      socket.on('close', () => this.#open.delete(socket)).on('error', () => {});
      void this.#serve(socket);
    });
  }

  static async open(): Promise<MailServer> {
    const server = new MailServer();
    server.#server.listen(0, '127.0.0.1');
    await once(server.#server, 'listening');
    return server;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  async close(): Promise<void> {
    for (const socket of this.#open) socket.destroy();
    await new Promise((closed) => this.#server.close(closed));
  }

  async #serve(socket: Socket): Promise<void> {
    const say = (line: string) => socket.write(`${line}\r\n`);
    let mail = { to: [] as string[], lines: [] as string[] };
    let isText = false;
    say('220 mail.example.org');
    for await (const line of createInterface({ input: socket })) {
      if (isText) {
        isText = line !== '.';
        if (isText) mail.lines.push(line);
        else {
          this.mails.push({ to: mail.to, text: mail.lines.join('\n') });
          mail = { to: [], lines: [] };
          say(`250 2.0.0 Ok: queued as MAIL${this.mails.length}`);
        }
        continue;
      }
      const to = /^RCPT TO:<(.*)>/i.exec(line)?.[1];
      if (to === 'nobody@example.org') say('550 5.1.1 No such user here');
      else if (line === 'DATA') {
        isText = true;
        say('354 Go on');
      } else {
        if (to !== undefined) mail.to.push(to);
        say(line === 'QUIT' ? '221 Bye' : '250 Ok');
      }
    }
  }
}
