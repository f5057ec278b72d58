package parhelion.cpu;

/**
 * An architectural exception raised by the instruction that is being executed. Each {@link Cpu}
 * throws its own preallocated instance without a stack trace; nothing of the instruction has been
 * committed when it is thrown.
 */
public final class GuestFault extends RuntimeException {
  private static final long serialVersionUID = 1L;

  public static final int DE = 0;
  public static final int DB = 1;
  public static final int NMI = 2;
  public static final int BP = 3;
  public static final int OF = 4;
  public static final int BR = 5;
  public static final int UD = 6;
  public static final int NM = 7;
  public static final int DF = 8;
  public static final int TS = 10;
  public static final int NP = 11;
  public static final int SS = 12;
  public static final int GP = 13;
  public static final int PF = 14;
  public static final int MF = 16;
  public static final int AC = 17;
  public static final int XM = 19;

  public int vector;
  public int errorCode;

  /** Faulting address of a #PF. */
  public long cr2;

  GuestFault() {
    super(null, null, false, false);
  }

  /** True for vectors that push an error code. */
  public static boolean hasErrorCode(int vector) {
    return vector == DF || (vector >= TS && vector <= PF) || vector == AC;
  }

  @Override
  public String getMessage() {
    return "vector "
        + vector
        + ", error code 0x"
        + Integer.toHexString(errorCode)
        + (vector == PF ? ", address 0x" + Long.toHexString(cr2) : "");
  }
}
