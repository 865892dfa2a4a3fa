/**
 * A signature as it stands at the end of a value:
 *
 *     198.18.0.20:49153?port=8000&by=<id of the key>&sig=<signature>
 *
 * The id is the first 16 hex digits of the SHA-256 of the public key, the signature that of Ed25519 in base64url. What is
 * signed is the key of etcd and all of the value before `&sig=`, so that a signed value means nothing under another key.
 */
export interface Signature {
  /** Id of the key with which it was signed. */
  readonly by: string;
  /** 86 characters of base64url. */
  readonly sig: string;
  /** What was signed. */
  readonly text: string;
}

/** A private key, as far as it is needed to sign. */
export interface SigningKey {
  readonly id: string;
  /** @returns 86 characters of base64url; the same for the same text, as Ed25519 has it */
  sign(text: string): string;
}

/** Puts signatures on values, and takes its own off. */
export interface Seal {
  /** The value as it is to stand under `key`. */
  seal(key: string, value: string): string;
  /** The value that was sealed, where this seal would seal it just so; null otherwise. */
  open(key: string, value: string): string | null;
}

/** 64 bytes. The last character has two bits that count: another one would be the same signature, spelled otherwise. */
const ending = /[?&]by=([0-9a-f]{16})&sig=([A-Za-z0-9_-]{85}[AQgw])$/;

/** So much longer a value is with a signature. */
export const signatureBytes = '&by='.length + 16 + '&sig='.length + 86;

/** The signature at the end of a value, or null where there is none of this form. */
export function signatureOf(key: string, value: string): Signature | null {
  const [, by, sig] = ending.exec(value) ?? [];
  if (by === undefined || sig === undefined) return null;
  return { by, sig, text: signedText(key, value.slice(0, -'&sig='.length - sig.length)) };
}

/** Whether a value says anything of a signature, be it of the form or not. */
export function claimsSignature(value: string): boolean {
  return /[?&](?:by|sig)=/.test(value);
}

export function withoutSignature(value: string): string {
  return value.replace(ending, '');
}

/** @param signing null: values stand as they are */
export function sealOf(signing: () => SigningKey | null): Seal {
  const seal = (key: string, value: string): string => {
    const own = signing();
    if (own === null) return value;
    const signed = `${value}${value.includes('?') ? '&' : '?'}by=${own.id}`;
    return `${signed}&sig=${own.sign(signedText(key, signed))}`;
  };
  return {
    seal,
    open(key, value) {
      const bare = withoutSignature(value);
      const by = signatureOf(key, value)?.by ?? null;
      // To sign takes time, and most values that are not ours say so.
      return by === (signing()?.id ?? null) && seal(key, bare) === value ? bare : null;
    },
  };
}

/** What stands as it is. */
export const unsealed = sealOf(() => null);

/** Its first line keeps it apart from whatever else the same key may sign one day. */
function signedText(key: string, value: string): string {
  return `docker-discover registration v1\n${key}\n${value}`;
}
