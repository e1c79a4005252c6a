import type { SignUpMode } from '../lib/accounts/sign-up-mode.ts';
import type { CarrierName } from '../lib/carriers/carrier.ts';

/**
 * What a team decides about its Peal: the default export of `peal.config.ts`. Every field may be left out, or be
 * `undefined`; then it has the default that stands beside it. `cdk/settings.ts` checks all of it before anything is synthesized.
 */
export interface PealConfig {
  /**
   * The name of this deployment, of which several can live in one account: it ends the names of the stacks and is the
   * tag `stage` of everything in them. A lower-case letter, then up to 15 lower-case letters, digits or hyphens.
   *
   * Default: `prod`; in `peal.config.NAME.ts`, that name.
   */
  stage?: string | undefined;

  /** The AWS region, such as `eu-central-1`. Default: that of the profile that deploys. */
  region?: string | undefined;

  /** The AWS account, 12 digits: a deployment with a profile of any other fails. Default: the profile's. */
  account?: string | undefined;

  /** Names of your own for Peal's addresses. Default: none, AWS's names. */
  domains?:
    | {
        /** Where senders and devices connect. The certificate is in `region`; with `waf`, in us-east-1. */
        api?: DomainConfig | undefined;
        /** The desktop socket, under another name than the API's. The certificate is in `region`. */
        socket?: DomainConfig | undefined;
        /** The web app. The certificate is in us-east-1, where CloudFront looks for it. */
        web?: DomainConfig | undefined;
      }
    | undefined;

  /** Who may create an account: `open` (anyone), `invitation` or `closed` (the operator). Default: `closed`. */
  signUp?: SignUpMode | undefined;

  /** Most sign-ups from one network address within an hour, 1 to 2,147,483,647. Default: 20. */
  registrationsPerHour?: number | undefined;

  /**
   * How many users the messages of one account may reach in a month, over all its apps: 0 (no limit, and no cost) to
   * 2,147,483,647. Default: 0.
   */
  quota?: number | undefined;

  /** How many messages one app may send in a minute: 0 (no limit) to 2,147,483,647. Default: 1,200. */
  burst?: number | undefined;

  /** How long things are kept. */
  retention?:
    | {
        /** Days that a message waits for a device, 1 to 21. Default: 21. */
        messages?: number | undefined;
        /** Days that an attachment can be fetched, 1 to those of messages. Default: 3, or those of messages if fewer. */
        attachments?: number | undefined;
        /** Days of the functions' logs, one of those that CloudWatch knows. Default: 30. */
        logs?: LogDays | undefined;
      }
    | undefined;

  /**
   * The carriers' credentials: the name of a secret that is in Secrets Manager already, in the same account and region.
   * Default: `PealData` makes one, without credentials, for you to fill.
   */
  secrets?:
    | {
        /** A Firebase service account's JSON. */
        fcm?: string | undefined;
        /** JSON with keyId, teamId and privateKey of an APNs key. */
        apns?: string | undefined;
        /** JSON with subject, publicKey and privateKey of a VAPID key. */
        webpush?: string | undefined;
      }
    | undefined;

  /**
   * The name of a table that was restored from a backup, in the same account and region, to be used in place of the
   * Directory of `PealData` (docs/upgrade.md). Default: that one.
   */
  directoryTable?: string | undefined;

  /** Who is told of alarms: an e-mail address, or the ARN of an SNS topic in `region`. Default: nobody. */
  alarms?: string | undefined;

  /**
   * Most invocations at once of each function that works on a queue, 2 to 1,000. Default: 10; of `callback` 5. `slow` is
   * of each carrier's and the callbacks' slow lane, on top of theirs. Default: 5.
   */
  ceilings?: Some<Ceilings> | undefined;

  /** Requests that are taken altogether; what is beyond is answered 429. */
  throttle?:
    | {
        /** Of the REST API. Default: 5,000 a second, 2,500 at once. */
        api?: Some<Throttle> | undefined;
        /** Of the socket, connecting included. Default: 500 a second, 1,000 at once. */
        socket?: Some<Throttle> | undefined;
      }
    | undefined;

  /**
   * Whether a web application firewall (AWS WAF) stands before the API and the web app: CloudFront is before both then,
   * and `region` has to be given. It costs $10 a month and about $1.70 for a million requests (docs/operations.md).
   * Default: false.
   */
  waf?: boolean | undefined;

  /** Whether functions are traced with X-Ray. Default: false. */
  tracing?: boolean | undefined;

  /** Minutes between two messages that Peal sends to itself to see whether it works, 1 to 60; or `off`. Default: `off`. */
  canary?: number | 'off' | undefined;
}

/** Fields of which any may be left out. */
type Some<Fields> = { [Name in keyof Fields]?: Fields[Name] | undefined };

/** An address under a name of your own. */
export interface DomainConfig {
  /** Such as `push.example.org`: lower case, without a wildcard. */
  name: string;
  /** An issued certificate of AWS Certificate Manager for that name. */
  certificateArn: string;
  /**
   * The id of the Route 53 zone that is to have the alias records. Without it, point a CNAME to what the stack prints.
   */
  hostedZoneId?: string | undefined;
}

/** Requests a second over a while, and at once. */
export interface Throttle {
  /** 1 to 100,000. */
  rate: number;
  /** 1 to 50,000. */
  burst: number;
}

/** Most invocations at once of each function that works on a queue. */
export type Ceilings = Record<CarrierName | 'callback' | 'fanOut' | 'repeat' | 'slow', number>;

/** What CloudWatch knows of days. */
export const LOG_DAYS = [
  1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653,
] as const;

export type LogDays = (typeof LOG_DAYS)[number];
