/** Secrets Manager: values in memory, and in one file when data is kept. */
import { randomInt, randomUUID } from 'node:crypto';
import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { isObject, type JsonObject } from '../template/json.ts';
import { arn } from '../template/pseudo.ts';
import type { Meter } from '../types.ts';
import { type Access, type Answer, type Call, jsonAnswer, type Service } from './call.ts';

interface Version {
  id: string;
  value: string;
  /** Seconds since 1970. */
  created: number;
}

interface Secret {
  arn: string;
  name: string;
  current: Version;
  previous?: Version;
}

/** The secrets of the template. */
export class SecretStore {
  readonly #secrets = new Map<string, Secret>();
  readonly #file: string | undefined;
  readonly #now: () => number;

  /** @param file keeps the values across restarts; without it they are forgotten */
  constructor(file?: string, now: () => number = Date.now) {
    this.#file = file;
    this.#now = now;
    if (file === undefined || !existsSync(file)) return;
    const kept = JSON.parse(readFileSync(file, 'utf8')) as Secret[];
    for (const secret of kept) this.#secrets.set(secret.arn, secret);
  }

  /** Creates a secret unless it is already there, as a second deployment would leave it. */
  create(secretArn: string, value: string): void {
    if (this.#secrets.has(secretArn)) return;
    const name = secretArn.split(':secret:')[1]?.slice(0, -7) ?? secretArn;
    this.#secrets.set(secretArn, { arn: secretArn, name, current: this.#version(value) });
    this.#save();
  }

  /** Finds a secret by ARN, name or ARN without its last seven characters. */
  find(id: string): Secret | undefined {
    const known = this.#secrets.get(id);
    if (known) return known;
    return [...this.#secrets.values()].find((secret) => secret.name === id || secret.arn.slice(0, -7) === id);
  }

  /** Makes `value` the current version. */
  put(secret: Secret, value: string, id: string = randomUUID()): void {
    secret.previous = secret.current;
    secret.current = this.#version(value, id);
    this.#save();
  }

  #version(value: string, id: string = randomUUID()): Version {
    return { id, value, created: this.#now() / 1000 };
  }

  #save(): void {
    if (this.#file === undefined) return;
    const text = JSON.stringify([...this.#secrets.values()]);
    writeFileSync(`${this.#file}.new`, text, { mode: 0o600 });
    renameSync(`${this.#file}.new`, this.#file);
  }
}

const ACTIONS = new Set(['GetSecretValue', 'PutSecretValue', 'DescribeSecret']);

/** The Secrets Manager service. */
export function createSecrets(store: SecretStore, meter: Meter): Service {
  return {
    accesses(call): Access[] | Answer {
      if (!ACTIONS.has(call.action)) {
        return failure('InvalidRequestException', `${call.action} is not available in the local cloud`);
      }
      const id = String(call.input.SecretId ?? '');
      const resource =
        store.find(id)?.arn ?? (id.startsWith('arn:') ? id : arn('secretsmanager', `secret:${id}`));
      return [{ action: `secretsmanager:${call.action}`, resource }];
    },
    deny: (_call, message) => jsonAnswer(400, { __type: 'AccessDeniedException', Message: message }, '1.1'),
    async run(call) {
      meter.count(call.caller.name, 'secretsmanager.calls', 1);
      const secret = store.find(String(call.input.SecretId ?? ''));
      if (!secret) {
        return failure('ResourceNotFoundException', "Secrets Manager can't find the specified secret.");
      }
      return ANSWERS[call.action]?.(call, secret, store) ?? failure('InvalidRequestException', call.action);
    },
  };
}

const ANSWERS: Record<string, (call: Call, secret: Secret, store: SecretStore) => Answer> = {
  GetSecretValue({ input }, secret) {
    const stage = input.VersionStage ?? 'AWSCURRENT';
    const versions = [secret.current, secret.previous].filter((version) => version !== undefined);
    const version =
      input.VersionId !== undefined
        ? versions.find(({ id }) => id === input.VersionId)
        : { AWSCURRENT: secret.current, AWSPREVIOUS: secret.previous }[String(stage)];
    if (!version) {
      const message = `Secrets Manager can't find the specified secret value for staging label: ${String(stage)}`;
      return failure('ResourceNotFoundException', message);
    }
    return jsonAnswer(
      200,
      {
        ARN: secret.arn,
        CreatedDate: version.created,
        Name: secret.name,
        SecretString: version.value,
        VersionId: version.id,
        VersionStages: [version === secret.current ? 'AWSCURRENT' : 'AWSPREVIOUS'],
      },
      '1.1',
    );
  },
  PutSecretValue({ input }, secret, store) {
    if (typeof input.SecretString !== 'string') {
      return failure('InvalidParameterException', 'only SecretString is available in the local cloud');
    }
    const token = input.ClientRequestToken;
    store.put(secret, input.SecretString, typeof token === 'string' ? token : randomUUID());
    const { id } = secret.current;
    return jsonAnswer(
      200,
      { ARN: secret.arn, Name: secret.name, VersionId: id, VersionStages: ['AWSCURRENT'] },
      '1.1',
    );
  },
  DescribeSecret(_call, secret) {
    const stages: Record<string, string[]> = { [secret.current.id]: ['AWSCURRENT'] };
    if (secret.previous) stages[secret.previous.id] = ['AWSPREVIOUS'];
    return jsonAnswer(
      200,
      {
        ARN: secret.arn,
        Name: secret.name,
        LastChangedDate: secret.current.created,
        VersionIdsToStages: stages,
      },
      '1.1',
    );
  },
};

function failure(type: string, message: string): Answer {
  return jsonAnswer(400, { __type: type, message }, '1.1');
}

const LOWER = 'abcdefghijklmnopqrstuvwxyz';
const PUNCTUATION = '!"#$%&\'()*+,-./:;<=>?@[\\]^_`{|}~';

/** The first value of a secret: what the template says or asks to generate (`AWS::SecretsManager::Secret`). */
export function initialSecret(properties: JsonObject): string {
  if (typeof properties.SecretString === 'string') return properties.SecretString;
  const options = isObject(properties.GenerateSecretString) ? properties.GenerateSecretString : {};
  const password = generatePassword(options);
  if (typeof options.SecretStringTemplate !== 'string') return password;
  const template: unknown = JSON.parse(options.SecretStringTemplate);
  return JSON.stringify({
    ...(isObject(template) ? template : {}),
    [String(options.GenerateStringKey)]: password,
  });
}

function generatePassword(options: JsonObject): string {
  const excluded = typeof options.ExcludeCharacters === 'string' ? options.ExcludeCharacters : '';
  const kinds = [
    options.ExcludeLowercase ? '' : LOWER,
    options.ExcludeUppercase ? '' : LOWER.toUpperCase(),
    options.ExcludeNumbers ? '' : '0123456789',
    options.ExcludePunctuation ? '' : PUNCTUATION,
    options.IncludeSpace ? ' ' : '',
  ]
    .map((letters) => [...letters].filter((letter) => !excluded.includes(letter)))
    .filter((letters) => letters.length > 0);
  const all = kinds.flat();
  const length = Number(options.PasswordLength ?? 32);
  const pick = (letters: string[]): string => letters[randomInt(letters.length)] as string;
  for (;;) {
    const password = Array.from({ length }, () => pick(all)).join('');
    const complete = kinds.every((letters) => letters.some((letter) => password.includes(letter)));
    if (complete || options.RequireEachIncludedType === false || length < kinds.length) return password;
  }
}
