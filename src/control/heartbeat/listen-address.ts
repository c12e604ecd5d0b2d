// Where load reports are listened for.
export interface ListenAddress {
  /** An IP address without brackets; for datagrams also a multicast group. */
  readonly host: string;
  /** 0: any free one. */
  readonly port: number;
}
