package parhelion.cpu.decode;

/** Instruction names as the SDM writes them. */
public enum Mnemonic {
  INVALID,
}
