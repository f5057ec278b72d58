package parhelion.cpu.decode;

/**
 * Rows of the opcode map: integer, control flow, string and system instructions (SDM volume 2,
 * appendix A). {@link OpcodeMap} describes the notation.
 */
final class IntegerRows {
  static final String ROWS =
      """
      ; Arithmetic and logic
      00             ADD          Eb,Gb        lock w=OSZAPC
      01             ADD          Ev,Gv        lock w=OSZAPC
      02             ADD          Gb,Eb        w=OSZAPC
      03             ADD          Gv,Ev        w=OSZAPC
      04             ADD          AL,Ib        w=OSZAPC
      05             ADD          rAX,Iz       w=OSZAPC
      08             OR           Eb,Gb        lock w=OSZPC u=A
      09             OR           Ev,Gv        lock w=OSZPC u=A
      0A             OR           Gb,Eb        w=OSZPC u=A
      0B             OR           Gv,Ev        w=OSZPC u=A
      0C             OR           AL,Ib        w=OSZPC u=A
      0D             OR           rAX,Iz       w=OSZPC u=A
      10             ADC          Eb,Gb        lock r=C w=OSZAPC
      11             ADC          Ev,Gv        lock r=C w=OSZAPC
      12             ADC          Gb,Eb        r=C w=OSZAPC
      13             ADC          Gv,Ev        r=C w=OSZAPC
      14             ADC          AL,Ib        r=C w=OSZAPC
      15             ADC          rAX,Iz       r=C w=OSZAPC
      18             SBB          Eb,Gb        lock r=C w=OSZAPC
      19             SBB          Ev,Gv        lock r=C w=OSZAPC
      1A             SBB          Gb,Eb        r=C w=OSZAPC
      1B             SBB          Gv,Ev        r=C w=OSZAPC
      1C             SBB          AL,Ib        r=C w=OSZAPC
      1D             SBB          rAX,Iz       r=C w=OSZAPC
      20             AND          Eb,Gb        lock w=OSZPC u=A
      21             AND          Ev,Gv        lock w=OSZPC u=A
      22             AND          Gb,Eb        w=OSZPC u=A
      23             AND          Gv,Ev        w=OSZPC u=A
      24             AND          AL,Ib        w=OSZPC u=A
      25             AND          rAX,Iz       w=OSZPC u=A
      28             SUB          Eb,Gb        lock w=OSZAPC
      29             SUB          Ev,Gv        lock w=OSZAPC
      2A             SUB          Gb,Eb        w=OSZAPC
      2B             SUB          Gv,Ev        w=OSZAPC
      2C             SUB          AL,Ib        w=OSZAPC
      2D             SUB          rAX,Iz       w=OSZAPC
      30             XOR          Eb,Gb        lock w=OSZPC u=A
      31             XOR          Ev,Gv        lock w=OSZPC u=A
      32             XOR          Gb,Eb        w=OSZPC u=A
      33             XOR          Gv,Ev        w=OSZPC u=A
      34             XOR          AL,Ib        w=OSZPC u=A
      35             XOR          rAX,Iz       w=OSZPC u=A
      38             CMP          Eb,Gb        w=OSZAPC
      39             CMP          Ev,Gv        w=OSZAPC
      3A             CMP          Gb,Eb        w=OSZAPC
      3B             CMP          Gv,Ev        w=OSZAPC
      3C             CMP          AL,Ib        w=OSZAPC
      3D             CMP          rAX,Iz       w=OSZAPC
      80 /0          ADD          Eb,Ib        lock w=OSZAPC
      80 /1          OR           Eb,Ib        lock w=OSZPC u=A
      80 /2          ADC          Eb,Ib        lock r=C w=OSZAPC
      80 /3          SBB          Eb,Ib        lock r=C w=OSZAPC
      80 /4          AND          Eb,Ib        lock w=OSZPC u=A
      80 /5          SUB          Eb,Ib        lock w=OSZAPC
      80 /6          XOR          Eb,Ib        lock w=OSZPC u=A
      80 /7          CMP          Eb,Ib        w=OSZAPC
      81 /0          ADD          Ev,Iz        lock w=OSZAPC
      81 /1          OR           Ev,Iz        lock w=OSZPC u=A
      81 /2          ADC          Ev,Iz        lock r=C w=OSZAPC
      81 /3          SBB          Ev,Iz        lock r=C w=OSZAPC
      81 /4          AND          Ev,Iz        lock w=OSZPC u=A
      81 /5          SUB          Ev,Iz        lock w=OSZAPC
      81 /6          XOR          Ev,Iz        lock w=OSZPC u=A
      81 /7          CMP          Ev,Iz        w=OSZAPC
      82 /0          ADD          Eb,Ib        lock not64 w=OSZAPC
      82 /1          OR           Eb,Ib        lock not64 w=OSZPC u=A
      82 /2          ADC          Eb,Ib        lock not64 r=C w=OSZAPC
      82 /3          SBB          Eb,Ib        lock not64 r=C w=OSZAPC
      82 /4          AND          Eb,Ib        lock not64 w=OSZPC u=A
      82 /5          SUB          Eb,Ib        lock not64 w=OSZAPC
      82 /6          XOR          Eb,Ib        lock not64 w=OSZPC u=A
      82 /7          CMP          Eb,Ib        not64 w=OSZAPC
      83 /0          ADD          Ev,Ibs       lock w=OSZAPC
      83 /1          OR           Ev,Ibs       lock w=OSZPC u=A
      83 /2          ADC          Ev,Ibs       lock r=C w=OSZAPC
      83 /3          SBB          Ev,Ibs       lock r=C w=OSZAPC
      83 /4          AND          Ev,Ibs       lock w=OSZPC u=A
      83 /5          SUB          Ev,Ibs       lock w=OSZAPC
      83 /6          XOR          Ev,Ibs       lock w=OSZPC u=A
      83 /7          CMP          Ev,Ibs       w=OSZAPC
      ; Segment registers on the stack, decimal adjustments, INC and DEC
      06             PUSH         ES           not64
      07             POP          ES           not64
      0E             PUSH         CS           not64
      16             PUSH         SS           not64
      17             POP          SS           not64
      1E             PUSH         DS           not64
      1F             POP          DS           not64
      27             DAA          -            not64 r=AC w=SZAPC u=O
      2F             DAS          -            not64 r=AC w=SZAPC u=O
      37             AAA          -            not64 r=A w=AC u=OSZP
      3F             AAS          -            not64 r=A w=AC u=OSZP
      40+r           INC          Zv           not64 w=OSZAP
      48+r           DEC          Zv           not64 w=OSZAP
      50+r           PUSH         Zv           d64
      58+r           POP          Zv           d64
      60             PUSHA        -            not64
      61             POPA         -            not64
      62 mem         BOUND        Gv,Ma        not64
      63             ARPL         Ew,Gw        not64 w=Z
      63             MOVSXD       Gv,Ez        only64
      68             PUSH         Iz           d64
      69             IMUL         Gv,Ev,Iz     w=OC u=SZAP
      6A             PUSH         Ibs          d64
      6B             IMUL         Gv,Ev,Ibs    w=OC u=SZAP
      6C             INS          Yb,DX        str iopl r=D
      6D             INS          Yz,DX        str iopl r=D
      6E             OUTS         DX,Xb        str iopl r=D
      6F             OUTS         DX,Xz        str iopl r=D
      70+cc          JCC          Jb           f64 block r=cc
      84             TEST         Eb,Gb        w=OSZPC u=A
      85             TEST         Ev,Gv        w=OSZPC u=A
      86             XCHG         Eb,Gb        lock
      87             XCHG         Ev,Gv        lock
      88             MOV          Eb,Gb
      89             MOV          Ev,Gv
      8A             MOV          Gb,Eb
      8B             MOV          Gv,Ev
      8C             MOV          RvMw,Sw
      8D mem         LEA          Gv,M
      8E             MOV          Sw,RvMw
      8F /0          POP          Ev           d64
      F3 90 B0       PAUSE        -            block
      90 B0          NOP          -
      90+r           XCHG         Zv,rAX
      ; 98: CBW, CWDE, CDQE; 99: CWD, CDQ, CQO, by operand size
      98             CBW          -
      99             CWD          -
      9A             CALLF        Ap           not64 block
      9B             FWAIT        -            X87 x87
      9C             PUSHF        -            d64 r=IDOSZAPC
      9D             POPF         -            d64 block w=IDOSZAPC
      9E             SAHF         -            LAHF w=SZAPC
      9F             LAHF         -            LAHF r=SZAPC
      A0             MOV          AL,Ob
      A1             MOV          rAX,Ov
      A2             MOV          Ob,AL
      A3             MOV          Ov,rAX
      A4             MOVS         Yb,Xb        str r=D
      A5             MOVS         Yv,Xv        str r=D
      A6             CMPS         Xb,Yb        str r=DOSZAPC w=OSZAPC
      A7             CMPS         Xv,Yv        str r=DOSZAPC w=OSZAPC
      A8             TEST         AL,Ib        w=OSZPC u=A
      A9             TEST         rAX,Iz       w=OSZPC u=A
      AA             STOS         Yb,AL        str r=D
      AB             STOS         Yv,rAX       str r=D
      AC             LODS         AL,Xb        str r=D
      AD             LODS         rAX,Xv       str r=D
      AE             SCAS         AL,Yb        str r=DOSZAPC w=OSZAPC
      AF             SCAS         rAX,Yv       str r=DOSZAPC w=OSZAPC
      B0+r           MOV          Zb,Ib
      B8+r           MOV          Zv,Iv
      ; Shifts and rotates: a count of zero leaves the flags, so the variable ones also read them
      C0 /0          ROL          Eb,Ib        r=OC w=C u=O
      C0 /1          ROR          Eb,Ib        r=OC w=C u=O
      C0 /2          RCL          Eb,Ib        r=OC w=C u=O
      C0 /3          RCR          Eb,Ib        r=OC w=C u=O
      C0 /4          SHL          Eb,Ib        r=OSZAPC w=SZPC u=OA
      C0 /5          SHR          Eb,Ib        r=OSZAPC w=SZPC u=OA
      C0 /6          SHL          Eb,Ib        r=OSZAPC w=SZPC u=OA
      C0 /7          SAR          Eb,Ib        r=OSZAPC w=SZPC u=OA
      C1 /0          ROL          Ev,Ib        r=OC w=C u=O
      C1 /1          ROR          Ev,Ib        r=OC w=C u=O
      C1 /2          RCL          Ev,Ib        r=OC w=C u=O
      C1 /3          RCR          Ev,Ib        r=OC w=C u=O
      C1 /4          SHL          Ev,Ib        r=OSZAPC w=SZPC u=OA
      C1 /5          SHR          Ev,Ib        r=OSZAPC w=SZPC u=OA
      C1 /6          SHL          Ev,Ib        r=OSZAPC w=SZPC u=OA
      C1 /7          SAR          Ev,Ib        r=OSZAPC w=SZPC u=OA
      D0 /0          ROL          Eb,One       w=OC
      D0 /1          ROR          Eb,One       w=OC
      D0 /2          RCL          Eb,One       r=C w=OC
      D0 /3          RCR          Eb,One       r=C w=OC
      D0 /4          SHL          Eb,One       w=OSZPC u=A
      D0 /5          SHR          Eb,One       w=OSZPC u=A
      D0 /6          SHL          Eb,One       w=OSZPC u=A
      D0 /7          SAR          Eb,One       w=OSZPC u=A
      D1 /0          ROL          Ev,One       w=OC
      D1 /1          ROR          Ev,One       w=OC
      D1 /2          RCL          Ev,One       r=C w=OC
      D1 /3          RCR          Ev,One       r=C w=OC
      D1 /4          SHL          Ev,One       w=OSZPC u=A
      D1 /5          SHR          Ev,One       w=OSZPC u=A
      D1 /6          SHL          Ev,One       w=OSZPC u=A
      D1 /7          SAR          Ev,One       w=OSZPC u=A
      D2 /0          ROL          Eb,CL        r=OC w=C u=O
      D2 /1          ROR          Eb,CL        r=OC w=C u=O
      D2 /2          RCL          Eb,CL        r=OC w=C u=O
      D2 /3          RCR          Eb,CL        r=OC w=C u=O
      D2 /4          SHL          Eb,CL        r=OSZAPC w=SZPC u=OA
      D2 /5          SHR          Eb,CL        r=OSZAPC w=SZPC u=OA
      D2 /6          SHL          Eb,CL        r=OSZAPC w=SZPC u=OA
      D2 /7          SAR          Eb,CL        r=OSZAPC w=SZPC u=OA
      D3 /0          ROL          Ev,CL        r=OC w=C u=O
      D3 /1          ROR          Ev,CL        r=OC w=C u=O
      D3 /2          RCL          Ev,CL        r=OC w=C u=O
      D3 /3          RCR          Ev,CL        r=OC w=C u=O
      D3 /4          SHL          Ev,CL        r=OSZAPC w=SZPC u=OA
      D3 /5          SHR          Ev,CL        r=OSZAPC w=SZPC u=OA
      D3 /6          SHL          Ev,CL        r=OSZAPC w=SZPC u=OA
      D3 /7          SAR          Ev,CL        r=OSZAPC w=SZPC u=OA
      C2             RET          Iw           f64 block
      C3             RET          -            f64 block
      C4 mem         LES          Gv,Mp        not64
      C5 mem         LDS          Gv,Mp        not64
      C6 /0          MOV          Eb,Ib
      C7 /0          MOV          Ev,Iz
      C8             ENTER        Iw,Ib        d64
      C9             LEAVE        -            d64
      CA             RETF         Iw           block
      CB             RETF         -            block
      CC             INT3         -            block r=IDOSZAPC
      CD             INT          Ib           block r=IDOSZAPC
      CE             INTO         -            not64 block r=IDOSZAPC
      CF             IRET         -            block w=IDOSZAPC
      D4             AAM          Ib           not64 w=SZP u=OAC
      D5             AAD          Ib           not64 w=SZP u=OAC
      D7             XLAT         -
      E0             LOOPNE       Jb           f64 block r=Z
      E1             LOOPE        Jb           f64 block r=Z
      E2             LOOP         Jb           f64 block
      E3             JRCXZ        Jb           f64 block
      E4             IN           AL,Ib        iopl
      E5             IN           eAX,Ib       iopl
      E6             OUT          Ib,AL        iopl
      E7             OUT          Ib,eAX       iopl
      E8             CALL         Jz           f64 block
      E9             JMP          Jz           f64 block
      EA             JMPF         Ap           not64 block
      EB             JMP          Jb           f64 block
      EC             IN           AL,DX        iopl
      ED             IN           eAX,DX       iopl
      EE             OUT          DX,AL        iopl
      EF             OUT          DX,eAX       iopl
      F1             INT1         -            block r=IDOSZAPC
      F4             HLT          -            priv block
      F5             CMC          -            r=C w=C
      F6 /0          TEST         Eb,Ib        w=OSZPC u=A
      F6 /1          TEST         Eb,Ib        w=OSZPC u=A
      F6 /2          NOT          Eb           lock
      F6 /3          NEG          Eb           lock w=OSZAPC
      F6 /4          MUL          Eb           w=OC u=SZAP
      F6 /5          IMUL         Eb           w=OC u=SZAP
      F6 /6          DIV          Eb           u=OSZAPC
      F6 /7          IDIV         Eb           u=OSZAPC
      F7 /0          TEST         Ev,Iz        w=OSZPC u=A
      F7 /1          TEST         Ev,Iz        w=OSZPC u=A
      F7 /2          NOT          Ev           lock
      F7 /3          NEG          Ev           lock w=OSZAPC
      F7 /4          MUL          Ev           w=OC u=SZAP
      F7 /5          IMUL         Ev           w=OC u=SZAP
      F7 /6          DIV          Ev           u=OSZAPC
      F7 /7          IDIV         Ev           u=OSZAPC
      F8             CLC          -            w=C
      F9             STC          -            w=C
      FA             CLI          -            iopl w=I
      FB             STI          -            iopl w=I
      FC             CLD          -            w=D
      FD             STD          -            w=D
      FE /0          INC          Eb           lock w=OSZAP
      FE /1          DEC          Eb           lock w=OSZAP
      FF /0          INC          Ev           lock w=OSZAP
      FF /1          DEC          Ev           lock w=OSZAP
      FF /2          CALL         Ev           f64 block
      FF /3 mem      CALLF        Mp           block
      FF /4          JMP          Ev           f64 block
      FF /5 mem      JMPF         Mp           block
      FF /6          PUSH         Ev           d64
      ; Two-byte map: descriptor tables and system registers
      0F 00 /0       SLDT         RvMw
      0F 00 /1       STR          RvMw
      0F 00 /2       LLDT         Ew           priv
      0F 00 /3       LTR          Ew           priv
      0F 00 /4       VERR         Ew           w=Z
      0F 00 /5       VERW         Ew           w=Z
      0F 01 /0 mem   SGDT         Ms
      0F 01 /1 mem   SIDT         Ms
      0F 01 /2 mem   LGDT         Ms           priv
      0F 01 /3 mem   LIDT         Ms           priv
      0F 01 /4       SMSW         RvMw
      0F 01 /6       LMSW         Ew           priv
      0F 01 /7 mem   INVLPG       Mb           priv
      NP 0F 01 C8    MONITOR      -            MONITOR priv
      NP 0F 01 C9    MWAIT        -            MONITOR priv block
      NP 0F 01 CA    CLAC         -            SMAP priv
      NP 0F 01 CB    STAC         -            SMAP priv
      NP 0F 01 D0    XGETBV       -            XSAVE
      NP 0F 01 D1    XSETBV       -            XSAVE priv block
      0F 01 F8       SWAPGS       -            only64 priv
      0F 01 F9       RDTSCP       -            RDTSCP
      0F 02          LAR          Gv,RvMw      w=Z
      0F 03          LSL          Gv,RvMw      w=Z
      0F 05          SYSCALL      -            SYSCALL block r=IDOSZAPC
      0F 06          CLTS         -            priv
      0F 07          SYSRET       -            SYSCALL priv block w=IDOSZAPC
      0F 08          INVD         -            priv
      0F 09          WBINVD       -            priv
      0F 0B          UD2          -            block
      ; Prefetches and the hint NOPs 0F 18 to 0F 1F
      0F 0D /1 mem   PREFETCHW    Mb           PREFETCHW
      0F 0D /2 mem   PREFETCHWT1  Mb
      0F 0D mem       PREFETCH     Mb
      0F 0D reg       NOP          Ev
      0F 18 /0 mem   PREFETCHNTA  Mb
      0F 18 /1 mem   PREFETCHT0   Mb
      0F 18 /2 mem   PREFETCHT1   Mb
      0F 18 /3 mem   PREFETCHT2   Mb
      F3 0F 1E FA    ENDBR64      -
      F3 0F 1E FB    ENDBR32      -
      0F 18          NOP          Ev
      0F 19          NOP          Ev
      0F 1A          NOP          Ev
      0F 1B          NOP          Ev
      0F 1C          NOP          Ev
      0F 1D          NOP          Ev
      0F 1E          NOP          Ev
      0F 1F          NOP          Ev
      ; MOV to and from CR and DR: mod is ignored and always means a register
      0F 20 reg      MOV          Rn,Cd        priv u=OSZAPC
      0F 21 reg      MOV          Rn,Dd        priv u=OSZAPC
      0F 22 reg      MOV          Cd,Rn        priv block u=OSZAPC
      0F 23 reg      MOV          Dd,Rn        priv block u=OSZAPC
      0F 30          WRMSR        -            priv block
      0F 31          RDTSC        -
      0F 32          RDMSR        -            priv
      0F 33          RDPMC        -
      0F 34          SYSENTER     -            SYSENTER block r=IDOSZAPC
      0F 35          SYSEXIT      -            SYSENTER priv block
      0F 40+cc       CMOVCC       Gv,Ev        r=cc
      0F 80+cc       JCC          Jz           f64 block r=cc
      0F 90+cc       SETCC        Eb           r=cc
      0F A0          PUSH         FS           d64
      0F A1          POP          FS           d64
      0F A2          CPUID        -            block
      0F A3          BT           Ev,Gv        w=C u=OSAP
      0F A4          SHLD         Ev,Gv,Ib     r=OSZAPC w=SZPC u=OA
      0F A5          SHLD         Ev,Gv,CL     r=OSZAPC w=SZPC u=OA
      0F A8          PUSH         GS           d64
      0F A9          POP          GS           d64
      0F AB          BTS          Ev,Gv        lock w=C u=OSAP
      0F AC          SHRD         Ev,Gv,Ib     r=OSZAPC w=SZPC u=OA
      0F AD          SHRD         Ev,Gv,CL     r=OSZAPC w=SZPC u=OA
      NP 0F AE /0 mem FXSAVE       M            FXSR x87 sse aligned
      NP 0F AE /1 mem FXRSTOR      M            FXSR x87 sse aligned
      NP 0F AE /2 mem LDMXCSR      Md           SSE sse
      NP 0F AE /3 mem STMXCSR      Md           SSE sse
      NP 0F AE /4 mem XSAVE        M            XSAVE
      NP 0F AE /5 mem XRSTOR       M            XSAVE
      NP 0F AE /6 mem XSAVEOPT     M            XSAVEOPT
      NP 0F AE /7 mem CLFLUSH      Mb           CLFLUSH
      66 0F AE /7 mem CLFLUSHOPT   Mb           CLFLUSHOPT
      66 0F AE /6 mem CLWB         Mb           CLWB
      NP 0F AE /5 reg LFENCE       -            SSE2
      NP 0F AE /6 reg MFENCE       -            SSE2
      NP 0F AE /7 reg SFENCE       -            SSE
      F3 0F AE /0 reg RDFSBASE     Ry           FSGSBASE only64
      F3 0F AE /1 reg RDGSBASE     Ry           FSGSBASE only64
      F3 0F AE /2 reg WRFSBASE     Ry           FSGSBASE only64
      F3 0F AE /3 reg WRGSBASE     Ry           FSGSBASE only64
      0F AF          IMUL         Gv,Ev        w=OC u=SZAP
      0F B0          CMPXCHG      Eb,Gb        lock w=OSZAPC
      0F B1          CMPXCHG      Ev,Gv        lock w=OSZAPC
      0F B2 mem      LSS          Gv,Mp
      0F B3          BTR          Ev,Gv        lock w=C u=OSAP
      0F B4 mem      LFS          Gv,Mp
      0F B5 mem      LGS          Gv,Mp
      0F B6          MOVZX        Gv,Eb
      0F B7          MOVZX        Gv,Ew
      F3 0F B8       POPCNT       Gv,Ev        POPCNT w=OSZAPC
      0F B9          UD1          Gv,Ev        block
      0F BA /4       BT           Ev,Ib        w=C u=OSAP
      0F BA /5       BTS          Ev,Ib        lock w=C u=OSAP
      0F BA /6       BTR          Ev,Ib        lock w=C u=OSAP
      0F BA /7       BTC          Ev,Ib        lock w=C u=OSAP
      0F BB          BTC          Ev,Gv        lock w=C u=OSAP
      F3 0F BC       TZCNT        Gv,Ev        BMI1 w=ZC u=OSAP
      0F BC          BSF          Gv,Ev        w=Z u=OSAPC
      F3 0F BD       LZCNT        Gv,Ev        ABM w=ZC u=OSAP
      0F BD          BSR          Gv,Ev        w=Z u=OSAPC
      0F BE          MOVSX        Gv,Eb
      0F BF          MOVSX        Gv,Ew
      0F C0          XADD         Eb,Gb        lock w=OSZAPC
      0F C1          XADD         Ev,Gv        lock w=OSZAPC
      NP 0F C3 mem   MOVNTI       My,Gy        SSE2
      0F C7 /1 mem W0 CMPXCHG8B    Mq           lock w=Z
      0F C7 /1 mem W1 CMPXCHG16B   Mdq          CX16 lock aligned w=Z
      NP 0F C7 /4 mem XSAVEC       M            XSAVEC
      NP 0F C7 /5 mem XSAVES       M            XSAVES priv
      NP 0F C7 /3 mem XRSTORS      M            XSAVES priv
      N6 0F C7 /6 reg RDRAND       Rv           RDRAND w=OSZAPC
      N6 0F C7 /7 reg RDSEED       Rv           RDSEED w=OSZAPC
      0F C8+r        BSWAP        Zv
      0F FF          UD0          Gv,Ev        block
      ; Three-byte maps, integer part
      66 0F 38 82 mem INVPCID      Gn,Mdq       INVPCID priv
      F2 0F 38 F0    CRC32        Gy,Eb        SSE42
      F2 0F 38 F1    CRC32        Gy,Ev        SSE42
      N6 0F 38 F0 mem MOVBE        Gv,Mv        MOVBE
      N6 0F 38 F1 mem MOVBE        Mv,Gv        MOVBE
      66 0F 38 F6    ADCX         Gy,Ey        ADX r=C w=C
      F3 0F 38 F6    ADOX         Gy,Ey        ADX r=O w=O
      """;

  private IntegerRows() {}
}
