package parhelion.process;

/** What uname tells. */
final class Identification {
  static final String RELEASE = "6.1.0-parhelion";
  private static final int FIELD = 65;

  private Identification() {}

  /** struct utsname. */
  static byte[] utsname() {
    String[] fields = {"Linux", "parhelion", RELEASE, "#1 SMP", "x86_64", "(none)"};
    byte[] out = new byte[6 * FIELD];
    for (int i = 0; i < fields.length; i++) {
      for (int j = 0; j < fields[i].length(); j++) {
        out[i * FIELD + j] = (byte) fields[i].charAt(j);
      }
    }
    return out;
  }
}
