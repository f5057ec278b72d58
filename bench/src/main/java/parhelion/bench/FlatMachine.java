package parhelion.bench;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import parhelion.cpu.Access;
import parhelion.cpu.Cpu;
import parhelion.cpu.CpuState;
import parhelion.cpu.Engine;
import parhelion.cpu.Monitor;
import parhelion.cpu.interp.CodeCache;
import parhelion.cpu.memory.MachineMemory;

/** A CPU in 64-bit mode over identity-mapped memory, for programs that only compute. */
final class FlatMachine implements AutoCloseable {
  private static final long CODE_PA = 0x100000;
  private static final long RETURN_PA = 0x90000;
  private static final long STACK_PA = 0x80000;

  private final MachineMemory memory = new MachineMemory(4096);
  private final Cpu cpu;

  FlatMachine(String program, Engine engine) {
    cpu =
        new Cpu(
            memory,
            new CodeCache(memory, engine),
            new Monitor() {
              @Override
              public long translate(Cpu c, long va, int access) {
                if (!memory.contains(va, 1)) {
                  throw c.pageFault(va, 0);
                }
                return (va & -4096L) | Access.MAY_READ | Access.MAY_WRITE | Access.MAY_EXECUTE;
              }

              @Override
              public void exception(Cpu c, int vector, int errorCode, long cr2) {
                throw new IllegalStateException("exception " + vector);
              }

              @Override
              public boolean undefined(Cpu c) {
                c.stop();
                return true;
              }
            });
    cpu.put64(CpuState.EFER, 0x500);
    cpu.put64(CpuState.CR0, 0x80000001L);
    cpu.put64(CpuState.CR4, 0x620);
    cpu.put64(CpuState.SEG_ATTR + CpuState.CS * 8, 0xa09b);
    cpu.updateMode();
    try (InputStream in = FlatMachine.class.getResourceAsStream(program + ".bin")) {
      if (in == null) {
        throw new IllegalArgumentException(program);
      }
      byte[] code = in.readAllBytes();
      memory.write(CODE_PA, code, 0, code.length);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    memory.putShort(RETURN_PA, (short) 0x0b0f); // ud2: back to us
  }

  /** Runs the program to its end and returns the number of instructions. */
  long run() {
    long before = cpu.retired;
    cpu.put64(CpuState.RSP, STACK_PA - 8);
    memory.putLong(STACK_PA - 8, RETURN_PA);
    cpu.rip(CODE_PA);
    cpu.run(Long.MAX_VALUE / 2);
    return cpu.retired - before;
  }

  @Override
  public void close() {
    cpu.close();
    memory.close();
  }
}
