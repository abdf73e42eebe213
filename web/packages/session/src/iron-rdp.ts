/**
 * The RDP client of the IronRDP project (WebAssembly from npm), behind `RemoteSession`.
 *
 * It talks to the package's client itself and not to its ready-made page element: that one knows
 * no touch, a fixed list of keys, and reads the user's clipboard ten times a second.
 *
 * Not here: hands (see `hands/`), reconnecting and words for the user (the page's).
 */
import { linkEndOf, isCrash } from './link-end.ts';
import type {
  ConnectOptions,
  Input,
  LinkEnd,
  Locks,
  RemoteClient,
  RemoteSession,
  SessionEvents,
  Size,
} from './remote-session.ts';
import { lendSocket, openFirst } from './socket.ts';

type Module = typeof import('@devolutions/iron-remote-desktop-rdp');
type Backend = Module['Backend'];
type Session = Awaited<ReturnType<InstanceType<Backend['SessionBuilder']>['connect']>>;
type DeviceEvent = ReturnType<Backend['DeviceEvent']['mouseMove']>;
type ClipboardData = InstanceType<Backend['ClipboardData']>;

const TEXT = 'text/plain';
/** `RotationUnit.Pixel` of the package, which declares the enum but does not export it. */
const ROTATION_PIXELS = 0;
/** How much text is carried from the host's clipboard. A page must survive a copied log file. */
const CLIPBOARD_LIMIT_CHARACTERS = 4 * 1024 * 1024;

let loading: Promise<Module> | undefined;

function load(): Promise<Module> {
  loading ??= (async () => {
    const module = await import('@devolutions/iron-remote-desktop-rdp');
    await module.init('ERROR');
    return module;
  })();
  // A failed download must not be remembered for ever.
  loading.catch(() => (loading = undefined));
  return loading;
}

export const ironRdp: RemoteClient = {
  load: async () => void (await load()),
  create: (events) => new IronRdpSession(events),
};

class IronRdpSession implements RemoteSession {
  readonly canvas = document.createElement('canvas');
  #events: SessionEvents;
  #module: Module | undefined;
  #session: Session | undefined;
  #over = false;
  #leaving = false;
  #offered = '';
  #unwatch: () => void = () => {};

  constructor(events: SessionEvents) {
    this.#events = events;
  }

  async connect(options: ConnectOptions): Promise<void> {
    this.#unwatch = this.#watchForCrash();
    try {
      const module = (this.#module = await load());
      if (this.#over) return;
      const opened = await openFirst(options.addresses);
      if (!opened) return this.#end({ kind: 'network', text: 'the WebSocket could not be opened' });
      const { socket, address } = opened;
      if (this.#over) return socket.close();
      this.#events.reached(address);
      this.#watchFirstPicture();
      const { Backend } = module;
      const builder = new Backend.SessionBuilder();
      builder.proxyAddress(address);
      builder.authToken(options.ticket);
      builder.destination(options.session);
      // The gateway puts in the real logon; the browser never has it.
      builder.username('-');
      builder.password('-');
      builder.desktopSize(new Backend.DesktopSize(options.size.width, options.size.height));
      builder.renderCanvas(this.canvas);
      builder.setCursorStyleCallbackContext(null);
      builder.setCursorStyleCallback(this.#onCursor);
      builder.extension(module.displayControl(true));
      builder.extension(module.enableCredssp(false));
      const { into, out } = options.clipboard;
      if (into || out) {
        // Without it the client has no clipboard at all, not even for the other way.
        builder.remoteClipboardChangedCallback((data: ClipboardData) => out && this.#onRemoteClipboard(data));
        // The channel is only ready once something, even nothing, has been offered.
        builder.forceClipboardUpdateCallback(() => this.#offer(into ? this.#offered : ''));
      }
      const session = await lendSocket(socket, () => builder.connect());
      if (this.#over || this.#leaving) {
        session.shutdown();
        this.#end({ kind: 'local', text: 'left while connecting' });
        return;
      }
      this.#session = session;
      void this.#run(session);
    } catch (thrown) {
      this.#end(linkEndOf(thrown));
    }
  }

  async #run(session: Session): Promise<void> {
    try {
      const info = await session.run();
      const text = info.reason();
      this.#end({ kind: this.#leaving ? 'local' : 'closed', text });
    } catch (thrown) {
      this.#end(this.#leaving ? { kind: 'local', text: String(thrown) } : linkEndOf(thrown));
    }
  }

  send(inputs: Input[]): void {
    if (inputs.length === 0) return;
    this.#call((session, module) => {
      const transaction = new module.Backend.InputTransaction();
      for (const input of inputs) transaction.addEvent(deviceEvent(module.Backend, input));
      session.applyInputs(transaction);
    });
  }

  release(): void {
    this.#call((session) => session.releaseAllInputs());
  }

  setLocks(locks: Locks): void {
    this.#call((session) => session.synchronizeLockKeys(locks.scroll, locks.num, locks.caps, locks.kana));
  }

  offerClipboard(text: string): void {
    this.#offered = text;
    this.#offer(text);
  }

  resize(size: Size): void {
    this.#call((session) => session.resize(size.width, size.height));
    this.#watchSize();
  }

  disconnect(): void {
    this.#leaving = true;
    this.#call((session) => session.shutdown());
    if (!this.#session) this.#end({ kind: 'local', text: 'left before connecting' });
  }

  /** Every call into the client goes through here: one that has ended or crashed is left alone. */
  #call(work: (session: Session, module: Module) => void): void {
    if (this.#over || !this.#session || !this.#module) return;
    try {
      work(this.#session, this.#module);
    } catch (thrown) {
      // An input that could not be sent means that the connection is ending; `run` tells why.
      if (isCrash(thrown)) this.#end({ kind: 'crashed', text: String(thrown) });
    }
  }

  #end(end: LinkEnd): void {
    if (this.#over) return;
    this.#over = true;
    this.#unwatch();
    this.#events.ended(end);
  }

  #offer(text: string): void {
    this.#call((session, module) => {
      const data = new module.Backend.ClipboardData();
      if (text !== '') data.addText(TEXT, text);
      session.onClipboardPaste(data).catch(() => {
        // The clipboard channel may be closed by policy; the session goes on without it.
      });
    });
  }

  #onRemoteClipboard = (data: ClipboardData): void => {
    const text = data.items().find((item) => item.mimeType() === TEXT)?.value();
    if (typeof text !== 'string' || text === '') return;
    const carried = text.slice(0, CLIPBOARD_LIMIT_CHARACTERS);
    this.#offered = carried;
    this.#events.clipboard(carried);
  };

  #onCursor = (kind: string, url?: string, x = 0, y = 0): void => {
    if (kind === 'url' && url) {
      // Browsers ignore a cursor image that they have not loaded yet.
      const image = new Image();
      image.src = url;
      this.#events.cursor(`url(${url}) ${Math.round(x)} ${Math.round(y)}, default`);
    } else {
      this.#events.cursor(kind === 'hidden' ? 'none' : 'default');
    }
  };

  /** The client draws with `putImageData` on the canvas's own context; the first call is the picture. */
  #watchFirstPicture(): void {
    const context = this.canvas.getContext('2d');
    if (!context) return;
    context.putImageData = (...args: unknown[]) => {
      // From here on the prototype's own method is called directly.
      delete (context as Partial<CanvasRenderingContext2D>).putImageData;
      (context.putImageData as (...args: unknown[]) => void).apply(context, args);
      if (!this.#over) this.#events.picture();
    };
  }

  /** The client sets the canvas's size when the host has followed a resize; there is no event. */
  #watchSize(): void {
    const before = { width: this.canvas.width, height: this.canvas.height };
    const observer = new MutationObserver(() => {
      const size = { width: this.canvas.width, height: this.canvas.height };
      if (size.width === before.width && size.height === before.height) return;
      observer.disconnect();
      this.#events.sized(size);
    });
    observer.observe(this.canvas, { attributes: true, attributeFilter: ['width', 'height'] });
  }

  /** A panic inside the client does not always settle its promises: it shows up here. */
  #watchForCrash(): () => void {
    const onError = (event: ErrorEvent) => {
      if (isCrash(event.error ?? event.message)) this.#end({ kind: 'crashed', text: event.message });
    };
    const onRejection = (event: PromiseRejectionEvent) => {
      if (isCrash(event.reason)) this.#end({ kind: 'crashed', text: String(event.reason) });
    };
    window.addEventListener('error', onError);
    window.addEventListener('unhandledrejection', onRejection);
    return () => {
      window.removeEventListener('error', onError);
      window.removeEventListener('unhandledrejection', onRejection);
    };
  }
}

function deviceEvent(backend: Backend, input: Input): DeviceEvent {
  const make = backend.DeviceEvent;
  switch (input.type) {
    case 'key':
      return input.down ? make.keyPressed(input.scancode) : make.keyReleased(input.scancode);
    case 'character':
      return input.down ? make.unicodePressed(input.character) : make.unicodeReleased(input.character);
    case 'move':
      return make.mouseMove(input.x, input.y);
    case 'button':
      return input.down ? make.mouseButtonPressed(input.button) : make.mouseButtonReleased(input.button);
    case 'wheel':
      return make.wheelRotations(input.vertical, input.units, ROTATION_PIXELS);
  }
}
