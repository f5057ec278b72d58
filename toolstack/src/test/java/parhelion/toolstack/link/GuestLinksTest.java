package parhelion.toolstack.link;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import parhelion.abi.XenconsInterface;
import parhelion.abi.XenstoreDomainInterface;
import parhelion.abi.XsType;
import parhelion.abi.XsdSockmsg;
import parhelion.backends.console.ConsoleLog;
import parhelion.backends.console.ConsoleRing;
import parhelion.backends.xenstore.Perms;
import parhelion.backends.xenstore.StoreHost;
import parhelion.backends.xenstore.XenstoreDaemon;
import parhelion.cpu.memory.MachineMemory;
import parhelion.xen.Domain;
import parhelion.xen.DomainConfig;
import parhelion.xen.Hypervisor;
import parhelion.xen.VirtualClock;

/** A domain's store and console through real machine memory and real event channels. */
class GuestLinksTest {
  private final Hypervisor hypervisor =
      new Hypervisor(new MachineMemory(4096), new VirtualClock(0));
  private final Domain domain = hypervisor.createDomain(new DomainConfig(1, 64, false));
  private final XenstoreDaemon store = new XenstoreDaemon(StoreHost.PERMISSIVE);
  private final ConsoleLog log = new ConsoleLog(4096);
  private final long storePa = hypervisor.frames().allocate(domain) << 12;
  private final long consolePa = hypervisor.frames().allocate(domain) << 12;
  private final GuestLinks links = GuestLinks.allocate(domain);
  private ConsoleRing console = connect();

  private ConsoleRing connect() {
    SchedulerAgents.attach(hypervisor, store);
    return links.connect(store, storePa >>> 12, consolePa >>> 12, log);
  }

  @BeforeEach
  void prepareTheStore() {
    store.dom0().write("/local/domain/1/name", "guest", Perms.parse("n0 r1"));
    settle();
  }

  @AfterEach
  void giveTheMemoryBack() {
    settle();
    hypervisor.close();
  }

  /** Lets posted work run; no vcpu is up. */
  private void settle() {
    hypervisor.scheduler().step();
  }

  private int get(long pa) {
    return hypervisor.memory().getInt(pa);
  }

  @Test
  void aGuestReadsTheStoreAndIsNotified() {
    byte[] path = "name\0".getBytes(StandardCharsets.ISO_8859_1);
    MachineMemory memory = hypervisor.memory();
    memory.putInt(storePa + XsdSockmsg.TYPE.offset(), XsType.READ.nr());
    memory.putInt(storePa + XsdSockmsg.REQ_ID.offset(), 77);
    memory.putInt(storePa + XsdSockmsg.TX_ID.offset(), 0);
    memory.putInt(storePa + XsdSockmsg.LEN.offset(), path.length);
    memory.write(storePa + 16, path, 0, path.length);
    memory.putInt(storePa + XenstoreDomainInterface.REQ_PROD.offset(), 16 + path.length);
    domain.events().send(links.storePort());
    assertEquals(0, get(storePa + XenstoreDomainInterface.RSP_PROD.offset()));
    settle();
    assertEquals(16 + 5, get(storePa + XenstoreDomainInterface.RSP_PROD.offset()));
    long reply = storePa + XenstoreDomainInterface.RSP.offset();
    assertEquals(77, get(reply + XsdSockmsg.REQ_ID.offset()));
    byte[] value = new byte[5];
    memory.read(reply + 16, value, 0, 5);
    assertEquals("guest", new String(value, StandardCharsets.ISO_8859_1));
    assertTrue(domain.events().isPending(links.storePort()));
  }

  @Test
  void consoleBytesGoBothWays() {
    byte[] text = "boot\n".getBytes(StandardCharsets.ISO_8859_1);
    hypervisor.memory().write(consolePa + XenconsInterface.OUT.offset(), text, 0, text.length);
    hypervisor.memory().putInt(consolePa + XenconsInterface.OUT_PROD.offset(), text.length);
    assertFalse(domain.events().isPending(links.consolePort()));
    domain.events().send(links.consolePort());
    settle();
    assertEquals("boot\n", new String(log.tail(), StandardCharsets.ISO_8859_1));
    assertEquals(text.length, get(consolePa + XenconsInterface.OUT_CONS.offset()));
    assertFalse(domain.events().isPending(links.consolePort()), "there was room all the time");
    console.offer(text, 0, 2);
    settle();
    assertTrue(domain.events().isPending(links.consolePort()));
    assertEquals(2, get(consolePa + XenconsInterface.IN_PROD.offset()));
    byte[] typed = new byte[2];
    hypervisor.memory().read(consolePa + XenconsInterface.IN.offset(), typed, 0, 2);
    assertEquals("bo", new String(typed, StandardCharsets.ISO_8859_1));
  }

  @Test
  void afterClosingTheGuestMaySignalButNothingHappens() {
    links.close();
    links.close();
    settle();
    hypervisor.memory().putInt(consolePa + XenconsInterface.OUT_PROD.offset(), 5);
    domain.events().send(links.consolePort());
    domain.events().send(links.storePort());
    settle();
    assertEquals(0, log.writtenBytes());
    assertNull(store.dom0().readOrNull("/local/domain/1/data"));
    assertEquals("n0", store.dom0().perms("/local/domain/1/name").toString());
    hypervisor.destroyDomain(domain);
  }

  @Test
  void framesOfOthersCannotBeMapped() {
    Domain other = hypervisor.createDomain(new DomainConfig(1, 64, false));
    assertThrows(IllegalArgumentException.class, () -> MachinePage.map(other, consolePa >>> 12));
    assertThrows(IllegalArgumentException.class, () -> MachinePage.map(domain, 1L << 40));
    assertThrows(IllegalArgumentException.class, () -> MachinePage.map(domain, -1));
    try (MachinePage page = MachinePage.map(domain, consolePa >>> 12)) {
      assertThrows(IndexOutOfBoundsException.class, () -> page.loadAcquire(4093));
      assertThrows(IndexOutOfBoundsException.class, () -> page.loadAcquire(-1));
    }
  }
}
