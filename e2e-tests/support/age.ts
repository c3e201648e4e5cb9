// Key pairs of age (https://age-encryption.org), which backups are encrypted with: X25519, written in Bech32 (BIP 173).
import { generateKeyPairSync } from 'node:crypto';

export interface KeyPair {
  /** `age1…`: encrypts. */
  recipient: string;
  /** `AGE-SECRET-KEY-1…`: decrypts. */
  identity: string;
}

export function keyPair(): KeyPair {
  const { d, x } = generateKeyPairSync('x25519').privateKey.export({ format: 'jwk' });
  const bytes = (text = '') => Buffer.from(text, 'base64url');
  return { recipient: bech32('age', bytes(x)), identity: bech32('age-secret-key-', bytes(d)).toUpperCase() };
}

const LETTERS = 'qpzry9x8gf2tvdw0s3jn54khce6mua7l';
const GENERATORS = [0x3b6a57b2, 0x26508e6d, 0x1ea119fa, 0x3d4233dd, 0x2a1462b3];
const CHECKSUM_LENGTH = 6;

function bech32(prefix: string, bytes: Uint8Array): string {
  const codes = [...prefix].map((letter) => letter.charCodeAt(0));
  const expanded = [...codes.map((code) => code >> 5), 0, ...codes.map((code) => code & 31)];
  const words = fives(bytes);
  const sum = polymod([...expanded, ...words, ...Array<number>(CHECKSUM_LENGTH).fill(0)]) ^ 1;
  const check = Array.from({ length: CHECKSUM_LENGTH }, (_, place) => (sum >> (5 * (CHECKSUM_LENGTH - 1 - place))) & 31);
  return `${prefix}1${[...words, ...check].map((word) => LETTERS[word]).join('')}`;
}

/** The bits in groups of five, the last one filled up with zeros. */
function fives(bytes: Uint8Array): number[] {
  const bits = [...bytes].map((byte) => byte.toString(2).padStart(8, '0')).join('');
  return (bits.match(/.{1,5}/g) ?? []).map((group) => parseInt(group.padEnd(5, '0'), 2));
}

function polymod(words: number[]): number {
  return words.reduce((sum, word) => {
    const top = sum >> 25;
    const next = ((sum & 0x1ffffff) << 5) ^ word;
    return GENERATORS.reduce((mixed, generator, bit) => ((top >> bit) & 1 ? mixed ^ generator : mixed), next);
  }, 1);
}
