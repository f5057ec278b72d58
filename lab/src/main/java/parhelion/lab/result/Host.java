package parhelion.lab.result;

/**
 * The machine that a comparison ran on.
 *
 * @param cpu the processor's model, as its maker writes it
 * @param processors how many the JVM may use
 * @param memoryBytes the machine's memory; 0 where it is not known
 * @param os the operating system's name, version and architecture
 * @param jdk the JDK's vendor and version
 */
public record Host(String cpu, int processors, long memoryBytes, String os, String jdk) {
  public Host {
    Check.text("host.cpu", cpu);
    Check.range("host.processors", processors, 1, 1 << 20);
    Check.count("host.memoryBytes", memoryBytes);
    Check.text("host.os", os);
    Check.text("host.jdk", jdk);
  }
}
