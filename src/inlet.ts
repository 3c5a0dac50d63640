import { Observable } from 'rxjs';
import type { Subscriber } from 'rxjs';
import type { Sink } from '../operators/stage.ts';

/** A Subject for one subscriber at a time, and with nothing to look after but it. */
export class Inlet<T> implements Sink<T> {
  #subscriber: Subscriber<T> | null = null;

  readonly items = new Observable<T>((subscriber) => {
    this.#subscriber = subscriber;
  });

  next(item: T): void {
    this.#subscriber?.next(item);
  }

  error(error: unknown): void {
    this.#subscriber?.error(error);
  }

  complete(): void {
    this.#subscriber?.complete();
  }
}
