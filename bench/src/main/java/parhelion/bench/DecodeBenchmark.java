package parhelion.bench;

import java.util.HexFormat;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OperationsPerInvocation;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.State;
import parhelion.cpu.decode.Decoder;
import parhelion.cpu.decode.Insn;

/** What decoding costs: nanoseconds per instruction of an ordinary function of a kernel. */
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
public class DecodeBenchmark {
  private static final int INSTRUCTIONS = 16;

  /** A prologue, loads and stores, tests, a loop and an epilogue: 16 instructions, 64-bit code. */
  private final byte[] code =
      HexFormat.of()
          .parseHex(
              "55" // push rbp
                  + "4889e5" // mov rbp, rsp
                  + "53" // push rbx
                  + "4883ec18" // sub rsp, 0x18
                  + "65488b042528000000" // mov rax, gs:[0x28]
                  + "488945e8" // mov [rbp-0x18], rax
                  + "31c0" // xor eax, eax
                  + "4885ff" // test rdi, rdi
                  + "7410" // jz +0x10
                  + "0fb60c06" // movzx ecx, byte [rsi+rax]
                  + "880c07" // mov [rdi+rax], cl
                  + "48ffc0" // inc rax
                  + "4839d0" // cmp rax, rdx
                  + "75f1" // jnz -0xf
                  + "c9" // leave
                  + "c3"); // ret

  private final Decoder decoder = Decoder.ofEverything();
  private final Insn insn = new Insn();

  @Benchmark
  @OperationsPerInvocation(INSTRUCTIONS)
  public int decode() {
    int at = 0;
    for (int i = 0; i < INSTRUCTIONS; i++) {
      if (decoder.decode(code, at, code.length - at, 64, insn) != Decoder.OK) {
        throw new IllegalStateException("not an instruction at byte " + at);
      }
      at += insn.length;
    }
    return at;
  }
}
