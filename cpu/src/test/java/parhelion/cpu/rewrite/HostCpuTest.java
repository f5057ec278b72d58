package parhelion.cpu.rewrite;

import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import org.junit.jupiter.api.Test;
import parhelion.cpu.CpuModel;

/** What is asked of the host before generated code runs there. */
class HostCpuTest {
  private static byte[] vector(long... values) {
    ByteBuffer buffer = ByteBuffer.allocate(values.length * 8).order(ByteOrder.LITTLE_ENDIAN);
    for (long value : values) {
      buffer.putLong(value);
    }
    return buffer.array();
  }

  @Test
  void theHostsModelHasWhatTheHostHasAndTheNextHasMore() {
    CpuModel best = HostCpu.model();
    for (CpuModel model : CpuModel.values()) {
      boolean all = model.features().stream().allMatch(HostCpu::has);
      // Where nothing is known of the host, guests get the smallest model all the same.
      assertTrue(model == CpuModel.V2 || all == (model.compareTo(best) <= 0), model.label);
    }
  }

  @Test
  void theKernelSaysWhetherProgramsMayWriteTheGsBase() {
    assertTrue(HostCpu.mayWriteGsBase(vector(16, 0x178bfbff, 26, 2, 0, 0)));
    assertFalse(HostCpu.mayWriteGsBase(vector(16, 0x178bfbff, 26, 1, 0, 0)), "an older kernel");
    assertFalse(HostCpu.mayWriteGsBase(vector(16, 2, 0, 0)), "one that says nothing");
    assertFalse(HostCpu.mayWriteGsBase(new byte[] {26, 0, 0}));
  }
}
