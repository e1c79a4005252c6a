/** Peal on one machine: the cloud of the templates, with the stand-ins for the carriers and their credentials. */
import {
  CARRIER_HOSTS,
  type Carriers,
  type Credentials,
  makeCredentials,
  startCarriers,
} from './carriers/index.ts';
import { type Cloud, type CloudOptions, startCloud } from './cloud.ts';

export interface PealOptions extends Omit<CloudOptions, 'outside'> {
  /** Port of the carriers' control server; 0 (default) for any. */
  control?: number;
  /** `off`: the carriers' secrets stay empty, as after a first deployment. Default on. */
  credentials?: 'off' | 'on';
  /** Hosts that functions reach besides the carriers': `host:port` → local port. */
  hosts?: Record<string, number>;
}

/** A running Peal. */
export interface Peal {
  cloud: Cloud;
  carriers: Carriers;
  /** What the carriers take, whether it is in the secrets or not. */
  credentials: Credentials;
  /** Addresses, whole. */
  api: string;
  socket: string;
  web: string;
  control: string;
  close(): Promise<void>;
}

/** What `peal admin setup` checks the APNs key with, as it would have stored it. */
const APNS_SCOPE = { topic: 'example.peal.demo', environment: 'production' };

/** Starts the cloud with stand-ins for FCM, APNs and Web Push, and puts the credentials that they accept into the secrets. */
export async function startPeal(options: PealOptions): Promise<Peal> {
  let carriers: Carriers | undefined;
  const credentials = await makeCredentials();
  const cloud = await startCloud({
    ...options,
    outside: async ({ authority, front }) => {
      const { serviceAccount, apns, vapid } = credentials;
      const started = await startCarriers({
        ...(await authority.issue([...CARRIER_HOSTS])),
        control: options.control ?? 0,
        aws: front.faults,
        fcm: {
          projectId: serviceAccount.project_id,
          clientEmail: serviceAccount.client_email,
          publicKey: credentials.serviceAccountPublicKey,
        },
        apns: { keyId: apns.keyId, teamId: apns.teamId, publicKey: credentials.apnsPublicKey },
      });
      carriers = started;
      return {
        hosts: { ...options.hosts, ...started.hosts },
        ...(options.credentials !== 'off' && {
          secrets: {
            FcmCredentials: JSON.stringify(serviceAccount),
            ApnsCredentials: JSON.stringify({ ...apns, ...APNS_SCOPE }),
            WebPushCredentials: JSON.stringify(vapid),
          },
        }),
        close: () => started.close(),
      };
    },
  });
  return {
    cloud,
    carriers: carriers!,
    credentials,
    api: cloud.edge?.url ?? cloud.api!.url,
    socket: cloud.socket!.url,
    web: cloud.web!.url,
    control: carriers!.control.url,
    close: () => cloud.close(),
  };
}
