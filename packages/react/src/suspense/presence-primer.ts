import { type ChannelRef, type Client, presence } from '@anywire/client';
import { type PresenceState, PresenceView } from '../presence-view';
import { Waiting } from './waiting';

/** Watches the presence of a channel until there is something to show. */
export class PresencePrimer<T, I, In, E> extends Waiting {
  readonly #view: PresenceView<T, I, In, E>;
  #leave: (() => void)[] = [];

  constructor(client: Client, target: string | ChannelRef<T, I, In, E>) {
    super(client);
    this.#view = new PresenceView(client, target);
    // Where others watch already there is nothing to wait for.
    const known = presence(client.channel(target)).snapshot.complete;
    this.begin(known && client.snapshot.state === 'open');
  }

  /** Who is present now. */
  get state(): PresenceState<I> {
    return this.#view.getSnapshot();
  }

  protected start(): void {
    const look = () => this.#look();
    this.#leave = [this.#view.subscribe(look), this.#view.attach()];
    look();
  }

  protected stop(): void {
    for (const leave of this.#leave) leave();
    this.#leave = [];
  }

  #look(): void {
    const { status, error } = this.#view.getSnapshot();
    if (status === 'refused' || status === 'failed') this.fail(error);
    else if (status === 'off') this.settle('gone');
    else if (status === 'live') this.settle('ready');
  }
}
