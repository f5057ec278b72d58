package parhelion.xen;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import parhelion.abi.Errno;
import parhelion.abi.EvtchnArgs.EvtchnExpandArray;
import parhelion.abi.EvtchnArgs.EvtchnInitControl;
import parhelion.abi.EvtchnArgs.EvtchnSetPriority;
import parhelion.abi.EvtchnOp;
import parhelion.abi.Hypercall;

/** FIFO events, the guest's side played by {@link #consume}. */
final class FifoEventsTest {
  private static final int PENDING = 1 << 31;
  private static final int MASKED = 1 << 30;
  private static final int LINKED = 1 << 29;

  private final FakeGuest g = new FakeGuest(2);

  @AfterEach
  void close() {
    g.close();
  }

  private long control(int page) {
    return FakeGuest.BASE + page * 4096L;
  }

  private long initControl(long mfn, long offset, long vcpu) {
    long arg = g.room(EvtchnInitControl.STRUCT);
    EvtchnInitControl.CONTROL_GFN.put(g.bytes(), arg, mfn);
    EvtchnInitControl.OFFSET.put(g.bytes(), arg, offset);
    EvtchnInitControl.VCPU.put(g.bytes(), arg, vcpu);
    long result = g.call(Hypercall.EVENT_CHANNEL_OP, EvtchnOp.INIT_CONTROL.nr(), arg);
    if (result == 0) {
      assertEquals(17, EvtchnInitControl.LINK_BITS.get(g.bytes(), arg));
    }
    return result;
  }

  private long expand(long mfn) {
    long arg = g.room(EvtchnExpandArray.STRUCT);
    EvtchnExpandArray.ARRAY_GFN.put(g.bytes(), arg, mfn);
    return g.call(Hypercall.EVENT_CHANNEL_OP, EvtchnOp.EXPAND_ARRAY.nr(), arg);
  }

  private long setPriority(long port, long priority) {
    long arg = g.room(EvtchnSetPriority.STRUCT);
    EvtchnSetPriority.PORT.put(g.bytes(), arg, port);
    EvtchnSetPriority.PRIORITY.put(g.bytes(), arg, priority);
    return g.call(Hypercall.EVENT_CHANNEL_OP, EvtchnOp.SET_PRIORITY.nr(), arg);
  }

  private int ipi(long vcpu) {
    long arg = g.room(8);
    g.bytes().putInt(arg, (int) vcpu);
    assertEquals(0, g.call(Hypercall.EVENT_CHANNEL_OP, EvtchnOp.BIND_IPI.nr(), arg));
    return g.bytes().getInt(arg + 4);
  }

  private void send(int port) {
    g.domain.events().send(port);
  }

  private long word(int port) {
    return g.pa(FakeGuest.BASE + 11 * 4096L) + port * 4L;
  }

  private void fifo() {
    assertEquals(0, initControl(g.mfns[10], 0, 0));
    assertEquals(0, initControl(g.mfns[10], 128, 1));
    assertEquals(0, expand(g.mfns[11]));
  }

  /**
   * What Linux does with a queue: takes the head, clears LINKED and the link, and if pending,
   * handles it.
   */
  private List<Integer> consume(int vcpu, int priority) {
    List<Integer> handled = new ArrayList<>();
    long block = g.pa(control(10)) + vcpu * 128L;
    int ready = g.memory.getInt(block);
    if ((ready >> priority & 1) == 0) {
      return handled;
    }
    g.memory.putInt(block, ready & ~(1 << priority));
    int head = g.memory.getInt(block + 8 + priority * 4L);
    while (head != 0) {
      int w = g.memory.getInt(word(head));
      int next = w & 0x1ffff;
      g.memory.putInt(word(head), w & ~(LINKED | 0x1ffff));
      if ((w & PENDING) != 0 && (w & MASKED) == 0) {
        g.memory.putInt(word(head), g.memory.getInt(word(head)) & ~PENDING);
        handled.add(head);
      }
      head = next;
    }
    return handled;
  }

  @Test
  void eventsQueueUpInTheOrderOfTheirSending() {
    fifo();
    int a = ipi(0);
    int b = ipi(0);
    int c = ipi(0);
    send(c);
    send(a);
    send(b);
    send(a);
    assertTrue(g.vcpu().upcallPending());
    assertEquals(List.of(c, a, b), consume(0, 7));
    assertEquals(List.of(), consume(0, 7));
    send(b);
    assertEquals(List.of(b), consume(0, 7));
  }

  @Test
  void prioritiesAreQueuesOfTheirOwn() {
    fifo();
    int a = ipi(0);
    int b = ipi(0);
    assertEquals(0, setPriority(b, 0));
    send(a);
    send(b);
    assertEquals(List.of(b), consume(0, 0));
    assertEquals(List.of(a), consume(0, 7));
    assertEquals(Errno.EINVAL.result(), setPriority(b, 16));
    assertEquals(Errno.EINVAL.result(), setPriority(9999, 1));
  }

  @Test
  void aPortThatChangesItsQueueLeavesTheOldOneIntact() {
    fifo();
    int a = ipi(0);
    int b = ipi(0);
    send(a);
    assertEquals(List.of(a), consume(0, 7));
    setPriority(a, 3);
    send(a);
    send(b);
    assertEquals(List.of(b), consume(0, 7));
    assertEquals(List.of(a), consume(0, 3));
  }

  @Test
  void eachVcpuHasItsQueues() {
    fifo();
    int a = ipi(1);
    send(a);
    assertTrue(g.domain.vcpus().get(1).upcallPending());
    assertFalse(g.vcpu().upcallPending());
    assertEquals(List.of(a), consume(1, 7));
  }

  @Test
  void aMaskedEventIsLinkedWhenUnmasked() {
    fifo();
    int a = ipi(0);
    g.memory.putInt(word(a), MASKED);
    send(a);
    assertEquals(PENDING | MASKED, g.memory.getInt(word(a)));
    assertFalse(g.vcpu().upcallPending());
    long arg = g.room(4);
    g.bytes().putInt(arg, a);
    assertEquals(0, g.call(Hypercall.EVENT_CHANNEL_OP, EvtchnOp.UNMASK.nr(), arg));
    assertEquals(List.of(a), consume(0, 7));
  }

  @Test
  void whatIsPendingBeforeTheSwitchIsNotLost() {
    int a = ipi(0);
    send(a);
    assertEquals(0, initControl(g.mfns[10], 0, 0));
    assertEquals(0, initControl(g.mfns[10], 128, 1));
    int b = ipi(0);
    send(b);
    assertEquals(0, expand(g.mfns[11]));
    assertEquals(List.of(a, b), consume(0, 7));
  }

  @Test
  void aPortThatIsStillLinkedIsNotGivenOutAgain() {
    fifo();
    int a = ipi(0);
    send(a);
    g.domain.events().close(a);
    assertTrue(ipi(0) != a);
    consume(0, 7);
    assertEquals(a, ipi(0));
  }

  @ParameterizedTest
  @CsvSource({"4032, 0", "4088, 0", "4, 0", "1, 0", "4096, 0", "4294967288, 0"})
  void controlBlocksLieWithinAPageAndAligned(long offset, long vcpu) {
    assertEquals(Errno.EINVAL.result(), initControl(g.mfns[10], offset, vcpu));
  }

  @Test
  void controlBlocksAreOfVcpusThatExistInFramesOfTheDomainAndSetOnce() {
    assertEquals(Errno.ENOENT.result(), initControl(g.mfns[10], 0, 2));
    assertEquals(Errno.ENOENT.result(), initControl(g.mfns[10], 0, 0xffff_ffffL));
    assertEquals(Errno.EINVAL.result(), initControl(1, 0, 0));
    assertEquals(Errno.EINVAL.result(), initControl(-1L, 0, 0));
    assertEquals(Errno.EINVAL.result(), initControl(1L << 40, 0, 0));
    assertFalse(g.domain.events().isFifo());
    assertEquals(0, initControl(g.mfns[10], 0, 0));
    assertEquals(Errno.EINVAL.result(), initControl(g.mfns[10], 0, 0));
    assertEquals(Errno.EINVAL.result(), expand(1));
    assertEquals(Errno.EINVAL.result(), expand(-1L));
  }

  @Test
  void theArrayHas128Pages() {
    assertEquals(0, initControl(g.mfns[10], 0, 0));
    for (int i = 0; i < 128; i++) {
      assertEquals(0, expand(g.mfns[100 + i]));
    }
    assertEquals(Errno.ENOSPC.result(), expand(g.mfns[99]));
  }

  @Test
  void aGuestThatScribblesOverItsWordsHarmsOnlyItself() {
    fifo();
    int[] ports = new int[20];
    for (int i = 0; i < ports.length; i++) {
      ports[i] = ipi(i & 1);
    }
    java.util.Random random = new java.util.Random(42);
    for (int i = 0; i < 20_000; i++) {
      switch (random.nextInt(6)) {
        case 0 -> g.memory.putInt(word(random.nextInt(1024)), random.nextInt());
        case 1 -> g.memory.putInt(g.pa(control(10)) + random.nextInt(50) * 4L, random.nextInt());
        case 2 -> setPriorityQuietly(ports[random.nextInt(20)], random.nextInt(20));
        default -> send(ports[random.nextInt(20)]);
      }
    }
    assertTrue(g.vcpu().upcallPending());
  }

  private long argument;

  private void setPriorityQuietly(long port, long priority) {
    if (argument == 0) {
      argument = g.room(EvtchnSetPriority.STRUCT);
    }
    EvtchnSetPriority.PORT.put(g.bytes(), argument, port);
    EvtchnSetPriority.PRIORITY.put(g.bytes(), argument, priority);
    g.call(Hypercall.EVENT_CHANNEL_OP, EvtchnOp.SET_PRIORITY.nr(), argument);
  }
}
