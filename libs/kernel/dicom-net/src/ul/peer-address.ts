// Where an association comes from, as far as the transport knows it.

export interface PeerAddress {
  readonly address: string;
  readonly port: number;
  /** SHA-256 fingerprint of the client certificate, when the socket is TLS and the peer showed one. */
  readonly certificateSha256?: string;
}
