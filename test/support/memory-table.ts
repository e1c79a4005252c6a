import {
  BatchGetCommand,
  BatchWriteCommand,
  DeleteCommand,
  GetCommand,
  PutCommand,
  QueryCommand,
} from '@aws-sdk/lib-dynamodb';
import type { Table } from '../../lib/storage/table.ts';

type Item = Record<string, unknown>;

/** A condition as the commands have it. */
interface Conditional {
  ConditionExpression?: string | undefined;
  ExpressionAttributeNames?: Record<string, string> | undefined;
  ExpressionAttributeValues?: Item | undefined;
}

/** What stands between a client and the table: called before a request, between its parts, and before its answer. */
export type Step = () => Promise<void>;

/** What may be watched. */
export interface Watching {
  onPut?(item: Item): void;
  onDelete?(item: Item): void;
}

/**
 * A table in memory for properties about orders of requests, which need thousands of them: as much of DynamoDB as the
 * mailbox uses, and an error for anything else. Each item is read and written at once, and nothing else is: a query
 * and a batch are as many steps, between which others may come.
 */
export class MemoryTable {
  readonly #items = new Map<string, Item>();
  readonly #watching: Watching;

  constructor(watching: Watching = {}) {
    this.#watching = watching;
  }

  /** All items of a partition, by their sort keys. */
  partition(pk: string): Item[] {
    return [...this.#items.values()]
      .filter((item) => item.pk === pk)
      .sort((one, other) => (one.sk as number) - (other.sk as number));
  }

  /** A client of it. */
  table(step: Step): Table {
    const send = async (command: unknown): Promise<object> => {
      await step();
      const answer = await this.#run(command, step);
      await step();
      return answer;
    };
    return { client: { send } as unknown as Table['client'], name: 'Memory' };
  }

  async #run(command: unknown, step: Step): Promise<object> {
    if (command instanceof GetCommand) return { Item: this.#get(command.input.Key!) };
    if (command instanceof PutCommand) {
      const { Item } = command.input;
      check(this.#get(Item!), command.input);
      this.#put(Item!);
      return {};
    }
    if (command instanceof DeleteCommand) {
      const { Key } = command.input;
      check(this.#get(Key!), command.input);
      this.#delete(Key!);
      return {};
    }
    if (command instanceof QueryCommand) return this.#query(command, step);
    if (command instanceof BatchGetCommand) {
      const [name = '', { Keys = [] } = {}] = Object.entries(command.input.RequestItems!)[0] ?? [];
      const found: Item[] = [];
      for (const key of Keys) {
        const item = this.#get(key);
        if (item) found.push(item);
        await step();
      }
      return { Responses: { [name]: found } };
    }
    if (command instanceof BatchWriteCommand) {
      for (const { PutRequest, DeleteRequest } of Object.values(command.input.RequestItems!).flat()) {
        if (PutRequest) this.#put(PutRequest.Item!);
        if (DeleteRequest) this.#delete(DeleteRequest.Key!);
        await step();
      }
      return {};
    }
    throw new Error(`the table in memory has no ${(command as object).constructor.name}`);
  }

  /** Item by item from the highest, the order in which the record of a partition is read too late. */
  async #query({ input }: QueryCommand, step: Step): Promise<object> {
    const { KeyConditionExpression, ExpressionAttributeValues: values = {} } = input;
    if (KeyConditionExpression !== 'pk = :device AND sk >= :from') throw new Error(KeyConditionExpression);
    const highest = this.partition(values[':device']).at(-1)?.sk as number | undefined;
    const found: Item[] = [];
    for (let sk = highest ?? -1; sk >= values[':from']; sk--) {
      const item = this.#get({ pk: values[':device'], sk });
      if (item) found.unshift(item);
      if (item || sk === 0) await step();
    }
    return { Items: found };
  }

  #get(key: Item): Item | undefined {
    const item = this.#items.get(nameOf(key));
    return item && { ...item };
  }

  #put(item: Item): void {
    this.#watching.onPut?.(item);
    this.#items.set(nameOf(item), { ...item });
  }

  #delete(key: Item): void {
    const item = this.#get(key);
    if (item) this.#watching.onDelete?.(item);
    this.#items.delete(nameOf(key));
  }
}

const nameOf = ({ pk, sk }: Item) => `${pk} ${sk}`;

/** @throws ConditionalCheckFailedException */
function check(item: Item | undefined, { ConditionExpression, ...given }: Conditional): void {
  if (ConditionExpression === undefined) return;
  const { ExpressionAttributeNames: names = {}, ExpressionAttributeValues: values = {} } = given;
  const holds = ConditionExpression.split(' OR ').some((clause) => {
    const [, absent] = /^attribute_not_exists\((\w+)\)$/.exec(clause) ?? [];
    if (absent !== undefined) return item?.[absent] === undefined;
    const [, name = '', value = ''] = /^(#?\w+) = (:\w+)$/.exec(clause) ?? [];
    if (!(value in values)) throw new Error(`the table in memory does not understand ${clause}`);
    return item !== undefined && item[names[name] ?? name] === values[value];
  });
  if (!holds)
    throw Object.assign(new Error('the condition failed'), { name: 'ConditionalCheckFailedException' });
}
