package parhelion.lab.result;

/**
 * The kernel file that all guests of a comparison ran.
 *
 * @param file its path or package, as the user named it
 * @param version what the file itself says its version is, or "unknown"
 * @param sha256 of the file, 64 hexadecimal digits
 */
public record Kernel(String file, String version, String sha256) {
  public Kernel {
    Check.text("kernel.file", file);
    Check.text("kernel.version", version);
    if (sha256 == null || !sha256.matches("[0-9a-f]{64}")) {
      throw new IllegalArgumentException("kernel.sha256 is not 64 hexadecimal digits");
    }
  }
}
