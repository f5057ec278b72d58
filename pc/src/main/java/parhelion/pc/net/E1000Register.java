package parhelion.pc.net;

/** Offsets of the 82540EM's registers (317453, chapter 13). */
final class E1000Register {
  static final int CTRL = 0x0000;
  static final int CTRL_MIRROR = 0x0004;
  static final int STATUS = 0x0008;
  static final int EECD = 0x0010;
  static final int EERD = 0x0014;
  static final int CTRL_EXT = 0x0018;
  static final int MDIC = 0x0020;
  static final int VET = 0x0038;
  static final int ICR = 0x00c0;
  static final int ITR = 0x00c4;
  static final int ICS = 0x00c8;
  static final int IMS = 0x00d0;
  static final int IMC = 0x00d8;
  static final int RCTL = 0x0100;
  static final int TCTL = 0x0400;
  static final int PBA = 0x1000;
  static final int RDBAL = 0x2800;
  static final int RDBAH = 0x2804;
  static final int RDLEN = 0x2808;
  static final int RDH = 0x2810;
  static final int RDT = 0x2818;
  static final int RDTR = 0x2820;
  static final int RADV = 0x282c;
  static final int TDBAL = 0x3800;
  static final int TDBAH = 0x3804;
  static final int TDLEN = 0x3808;
  static final int TDH = 0x3810;
  static final int TDT = 0x3818;
  static final int TIDV = 0x3820;
  static final int TADV = 0x382c;
  static final int STATISTICS = 0x4000;
  static final int STATISTICS_END = 0x4100;
  static final int RXCSUM = 0x5000;
  static final int MTA = 0x5200;
  static final int RAL0 = 0x5400;
  static final int VFTA = 0x5600;

  /** Statistics: good packets and octets each way, of which broadcast and multicast; all. */
  static final int BPRC = 0x4078;

  static final int MPRC = 0x407c;
  static final int GPRC = 0x4074;
  static final int GPTC = 0x4080;
  static final int GORC = 0x4088;
  static final int GOTC = 0x4090;
  static final int TOR = 0x40c0;
  static final int TOT = 0x40c8;
  static final int TPR = 0x40d0;
  static final int TPT = 0x40d4;

  private E1000Register() {}
}
