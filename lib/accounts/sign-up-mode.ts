/** Who may create an account: anyone, holders of an invitation, or only the operator. */
export const SIGN_UP_MODES = ['open', 'invitation', 'closed'] as const;

export type SignUpMode = (typeof SIGN_UP_MODES)[number];
