/**
 * **What a sender may know of the people whom its messages reach**: one rule, for everything that a sender is answered.
 *
 * A sender knows its own account, the users whose keys it names, and the members of its own groups. Somebody whom it
 * reaches only as a member of another account's group is *hidden*: the sender is told what became of the message,
 * and never who that is, by a user key, a device's name, or anything else that stays the same from one message to the
 * next.
 *
 * Who is hidden is decided once, when the recipients of a message are chosen, and noted beside each of them. What
 * tells senders of people (history, receipts, callbacks, exports) asks {@link toldToSender}.
 */

/** A user whom a message reaches, as its sender may know it. */
export interface Person {
  /** User key. */
  user: string;
  /** The sender is not told who it is. */
  hidden?: true;
}

/**
 * What a sender is told of a person.
 *
 * @param told what somebody is told who knows the person
 * @returns undefined if the person is hidden
 * @example
 * const user = toldToSender(recipient, recipient.user);
 */
export function toldToSender<T>({ hidden }: Pick<Person, 'hidden'>, told: T): T | undefined {
  return hidden ? undefined : told;
}

/**
 * A person as a sender who knows some users may know it.
 *
 * @param known user keys: the sender's own, those that it named, those of members of its own groups
 */
export function personFor(known: ReadonlySet<string>, user: string): Person {
  return { user, ...(!known.has(user) && { hidden: true as const }) };
}
