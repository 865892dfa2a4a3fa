/** The id of a lease as `etcdctl lease list` shows it. @param lease in decimal */
export function leaseText(lease: string): string {
  return /^\d+$/.test(lease) ? BigInt(lease).toString(16).padStart(16, '0') : lease;
}
