package parhelion.cpu.decode;

/**
 * Rows of the opcode map: x87, MMX, SSE to SSE4.2, AES and SHA. {@link OpcodeMap} describes the
 * notation.
 */
final class SseRows {
  static final String ROWS =
      """
      @ X87 x87
      ; x87: the rows without a name in the SDM are aliases that processors accept
      D8 /0 mem        FADD         Md
      D8 /1 mem        FMUL         Md
      D8 /2 mem        FCOM         Md
      D8 /3 mem        FCOMP        Md
      D8 /4 mem        FSUB         Md
      D8 /5 mem        FSUBR        Md
      D8 /6 mem        FDIV         Md
      D8 /7 mem        FDIVR        Md
      D8 C0+i          FADD         ST,STi
      D8 C8+i          FMUL         ST,STi
      D8 D0+i          FCOM         STi
      D8 D8+i          FCOMP        STi
      D8 E0+i          FSUB         ST,STi
      D8 E8+i          FSUBR        ST,STi
      D8 F0+i          FDIV         ST,STi
      D8 F8+i          FDIVR        ST,STi
      D9 /0 mem        FLD          Md
      D9 /2 mem        FST          Md
      D9 /3 mem        FSTP         Md
      D9 /4 mem        FLDENV       M
      D9 /5 mem        FLDCW        Mw
      D9 /6 mem        FNSTENV      M
      D9 /7 mem        FNSTCW       Mw
      D9 C0+i          FLD          STi
      D9 C8+i          FXCH         STi
      D9 D0            FNOP         -
      D9 D8+i          FSTP         STi
      D9 E0            FCHS         -
      D9 E1            FABS         -
      D9 E4            FTST         -
      D9 E5            FXAM         -
      D9 E8            FLD1         -
      D9 E9            FLDL2T       -
      D9 EA            FLDL2E       -
      D9 EB            FLDPI        -
      D9 EC            FLDLG2       -
      D9 ED            FLDLN2       -
      D9 EE            FLDZ         -
      D9 F0            F2XM1        -
      D9 F1            FYL2X        -
      D9 F2            FPTAN        -
      D9 F3            FPATAN       -
      D9 F4            FXTRACT      -
      D9 F5            FPREM1       -
      D9 F6            FDECSTP      -
      D9 F7            FINCSTP      -
      D9 F8            FPREM        -
      D9 F9            FYL2XP1      -
      D9 FA            FSQRT        -
      D9 FB            FSINCOS      -
      D9 FC            FRNDINT      -
      D9 FD            FSCALE       -
      D9 FE            FSIN         -
      D9 FF            FCOS         -
      DA /0 mem        FIADD        Md
      DA /1 mem        FIMUL        Md
      DA /2 mem        FICOM        Md
      DA /3 mem        FICOMP       Md
      DA /4 mem        FISUB        Md
      DA /5 mem        FISUBR       Md
      DA /6 mem        FIDIV        Md
      DA /7 mem        FIDIVR       Md
      DA C0+i          FCMOVB       ST,STi         r=C
      DA C8+i          FCMOVE       ST,STi         r=Z
      DA D0+i          FCMOVBE      ST,STi         r=CZ
      DA D8+i          FCMOVU       ST,STi         r=P
      DA E9            FUCOMPP      -
      DB /0 mem        FILD         Md
      DB /1 mem        FISTTP       Md             SSE3
      DB /2 mem        FIST         Md
      DB /3 mem        FISTP        Md
      DB /5 mem        FLD          Mt
      DB /7 mem        FSTP         Mt
      DB C0+i          FCMOVNB      ST,STi         r=C
      DB C8+i          FCMOVNE      ST,STi         r=Z
      DB D0+i          FCMOVNBE     ST,STi         r=CZ
      DB D8+i          FCMOVNU      ST,STi         r=P
      DB E0            FNENI        -
      DB E1            FNDISI       -
      DB E2            FNCLEX       -
      DB E3            FNINIT       -
      DB E4            FNSETPM      -
      DB E8+i          FUCOMI       ST,STi         w=ZPC u=OSA
      DB F0+i          FCOMI        ST,STi         w=ZPC u=OSA
      DC /0 mem        FADD         Mq
      DC /1 mem        FMUL         Mq
      DC /2 mem        FCOM         Mq
      DC /3 mem        FCOMP        Mq
      DC /4 mem        FSUB         Mq
      DC /5 mem        FSUBR        Mq
      DC /6 mem        FDIV         Mq
      DC /7 mem        FDIVR        Mq
      DC C0+i          FADD         STi,ST
      DC C8+i          FMUL         STi,ST
      DC E0+i          FSUBR        STi,ST
      DC E8+i          FSUB         STi,ST
      DC F0+i          FDIVR        STi,ST
      DC F8+i          FDIV         STi,ST
      DC D0+i          FCOM         STi
      DC D8+i          FCOMP        STi
      DD /0 mem        FLD          Mq
      DD /1 mem        FISTTP       Mq             SSE3
      DD /2 mem        FST          Mq
      DD /3 mem        FSTP         Mq
      DD /4 mem        FRSTOR       M
      DD /6 mem        FNSAVE       M
      DD /7 mem        FNSTSW       Mw
      DD C0+i          FFREE        STi
      DD C8+i          FXCH         STi
      DD D0+i          FST          STi
      DD D8+i          FSTP         STi
      DD E0+i          FUCOM        STi
      DD E8+i          FUCOMP       STi
      DE /0 mem        FIADD        Mw
      DE /1 mem        FIMUL        Mw
      DE /2 mem        FICOM        Mw
      DE /3 mem        FICOMP       Mw
      DE /4 mem        FISUB        Mw
      DE /5 mem        FISUBR       Mw
      DE /6 mem        FIDIV        Mw
      DE /7 mem        FIDIVR       Mw
      DE C0+i          FADDP        STi,ST
      DE C8+i          FMULP        STi,ST
      DE E0+i          FSUBRP       STi,ST
      DE E8+i          FSUBP        STi,ST
      DE F0+i          FDIVRP       STi,ST
      DE F8+i          FDIVP        STi,ST
      DE D0+i          FCOMP        STi
      DE D9            FCOMPP       -
      DF /0 mem        FILD         Mw
      DF /1 mem        FISTTP       Mw             SSE3
      DF /2 mem        FIST         Mw
      DF /3 mem        FISTP        Mw
      DF /4 mem        FBLD         Mt
      DF /5 mem        FILD         Mq
      DF /6 mem        FBSTP        Mt
      DF /7 mem        FISTP        Mq
      DF C0+i          FFREEP       STi
      DF C8+i          FXCH         STi
      DF D0+i          FSTP         STi
      DF D8+i          FSTP         STi
      DF E0            FNSTSW       AX
      DF E8+i          FUCOMIP      ST,STi         w=ZPC u=OSA
      DF F0+i          FCOMIP       ST,STi         w=ZPC u=OSA
      ; MMX and, with 66, SSE2 on XMM registers
      @ MMX x87
      NP 0F 60         PUNPCKLBW    Pq,Qd
      NP 0F 61         PUNPCKLWD    Pq,Qd
      NP 0F 62         PUNPCKLDQ    Pq,Qd
      NP 0F 63         PACKSSWB     Pq,Qq
      NP 0F 64         PCMPGTB      Pq,Qq
      NP 0F 65         PCMPGTW      Pq,Qq
      NP 0F 66         PCMPGTD      Pq,Qq
      NP 0F 67         PACKUSWB     Pq,Qq
      NP 0F 68         PUNPCKHBW    Pq,Qq
      NP 0F 69         PUNPCKHWD    Pq,Qq
      NP 0F 6A         PUNPCKHDQ    Pq,Qq
      NP 0F 6B         PACKSSDW     Pq,Qq
      NP 0F 74         PCMPEQB      Pq,Qq
      NP 0F 75         PCMPEQW      Pq,Qq
      NP 0F 76         PCMPEQD      Pq,Qq
      NP 0F D1         PSRLW        Pq,Qq
      NP 0F D2         PSRLD        Pq,Qq
      NP 0F D3         PSRLQ        Pq,Qq
      NP 0F D4         PADDQ        Pq,Qq          SSE2
      NP 0F D5         PMULLW       Pq,Qq
      NP 0F D8         PSUBUSB      Pq,Qq
      NP 0F D9         PSUBUSW      Pq,Qq
      NP 0F DA         PMINUB       Pq,Qq          SSE
      NP 0F DB         PAND         Pq,Qq
      NP 0F DC         PADDUSB      Pq,Qq
      NP 0F DD         PADDUSW      Pq,Qq
      NP 0F DE         PMAXUB       Pq,Qq          SSE
      NP 0F DF         PANDN        Pq,Qq
      NP 0F E0         PAVGB        Pq,Qq          SSE
      NP 0F E1         PSRAW        Pq,Qq
      NP 0F E2         PSRAD        Pq,Qq
      NP 0F E3         PAVGW        Pq,Qq          SSE
      NP 0F E4         PMULHUW      Pq,Qq          SSE
      NP 0F E5         PMULHW       Pq,Qq
      NP 0F E8         PSUBSB       Pq,Qq
      NP 0F E9         PSUBSW       Pq,Qq
      NP 0F EA         PMINSW       Pq,Qq          SSE
      NP 0F EB         POR          Pq,Qq
      NP 0F EC         PADDSB       Pq,Qq
      NP 0F ED         PADDSW       Pq,Qq
      NP 0F EE         PMAXSW       Pq,Qq          SSE
      NP 0F EF         PXOR         Pq,Qq
      NP 0F F1         PSLLW        Pq,Qq
      NP 0F F2         PSLLD        Pq,Qq
      NP 0F F3         PSLLQ        Pq,Qq
      NP 0F F4         PMULUDQ      Pq,Qq          SSE2
      NP 0F F5         PMADDWD      Pq,Qq
      NP 0F F6         PSADBW       Pq,Qq          SSE
      NP 0F F8         PSUBB        Pq,Qq
      NP 0F F9         PSUBW        Pq,Qq
      NP 0F FA         PSUBD        Pq,Qq
      NP 0F FB         PSUBQ        Pq,Qq          SSE2
      NP 0F FC         PADDB        Pq,Qq
      NP 0F FD         PADDW        Pq,Qq
      NP 0F FE         PADDD        Pq,Qq
      NP 0F 6E W0      MOVD         Pq,Ed
      NP 0F 6E W1      MOVQ         Pq,Eq
      NP 0F 6F         MOVQ         Pq,Qq
      NP 0F 7E W0      MOVD         Ed,Pq
      NP 0F 7E W1      MOVQ         Eq,Pq
      NP 0F 7F         MOVQ         Qq,Pq
      NP 0F 70         PSHUFW       Pq,Qq,Ib       SSE
      NP 0F 71 /2 reg  PSRLW        Nq,Ib
      NP 0F 71 /4 reg  PSRAW        Nq,Ib
      NP 0F 71 /6 reg  PSLLW        Nq,Ib
      NP 0F 72 /2 reg  PSRLD        Nq,Ib
      NP 0F 72 /4 reg  PSRAD        Nq,Ib
      NP 0F 72 /6 reg  PSLLD        Nq,Ib
      NP 0F 73 /2 reg  PSRLQ        Nq,Ib
      NP 0F 73 /6 reg  PSLLQ        Nq,Ib
      NP 0F 77         EMMS         -
      NP 0F C4         PINSRW       Pq,RdMw,Ib     SSE
      NP 0F C5 reg     PEXTRW       Gd,Nq,Ib       SSE
      NP 0F D7 reg     PMOVMSKB     Gy,Nq          SSE
      NP 0F E7 mem     MOVNTQ       Mq,Pq          SSE
      NP 0F F7 reg     MASKMOVQ     Pq,Nq          SSE
      NP 0F 38 00      PSHUFB       Pq,Qq          SSSE3
      NP 0F 38 01      PHADDW       Pq,Qq          SSSE3
      NP 0F 38 02      PHADDD       Pq,Qq          SSSE3
      NP 0F 38 03      PHADDSW      Pq,Qq          SSSE3
      NP 0F 38 04      PMADDUBSW    Pq,Qq          SSSE3
      NP 0F 38 05      PHSUBW       Pq,Qq          SSSE3
      NP 0F 38 06      PHSUBD       Pq,Qq          SSSE3
      NP 0F 38 07      PHSUBSW      Pq,Qq          SSSE3
      NP 0F 38 08      PSIGNB       Pq,Qq          SSSE3
      NP 0F 38 09      PSIGNW       Pq,Qq          SSSE3
      NP 0F 38 0A      PSIGND       Pq,Qq          SSSE3
      NP 0F 38 0B      PMULHRSW     Pq,Qq          SSSE3
      NP 0F 38 1C      PABSB        Pq,Qq          SSSE3
      NP 0F 38 1D      PABSW        Pq,Qq          SSSE3
      NP 0F 38 1E      PABSD        Pq,Qq          SSSE3
      NP 0F 3A 0F      PALIGNR      Pq,Qq,Ib       SSSE3
      ; Between MMX and XMM registers
      F3 0F D6 reg     MOVQ2DQ      Vdq,Nq         SSE2 sse
      F2 0F D6 reg     MOVDQ2Q      Pq,Uq          SSE2 sse
      NP 0F 2A         CVTPI2PS     Vq,Qq          SSE sse
      66 0F 2A         CVTPI2PD     Vpd,Qq         SSE2 sse
      NP 0F 2C         CVTTPS2PI    Pq,Wq          SSE sse
      66 0F 2C         CVTTPD2PI    Pq,Wpd         SSE2 sse aligned
      NP 0F 2D         CVTPS2PI     Pq,Wq          SSE sse
      66 0F 2D         CVTPD2PI     Pq,Wpd         SSE2 sse aligned
      @ SSE2 sse
      66 0F 60         PUNPCKLBW    Vdq,Wdq        aligned
      66 0F 61         PUNPCKLWD    Vdq,Wdq        aligned
      66 0F 62         PUNPCKLDQ    Vdq,Wdq        aligned
      66 0F 63         PACKSSWB     Vdq,Wdq        aligned
      66 0F 64         PCMPGTB      Vdq,Wdq        aligned
      66 0F 65         PCMPGTW      Vdq,Wdq        aligned
      66 0F 66         PCMPGTD      Vdq,Wdq        aligned
      66 0F 67         PACKUSWB     Vdq,Wdq        aligned
      66 0F 68         PUNPCKHBW    Vdq,Wdq        aligned
      66 0F 69         PUNPCKHWD    Vdq,Wdq        aligned
      66 0F 6A         PUNPCKHDQ    Vdq,Wdq        aligned
      66 0F 6B         PACKSSDW     Vdq,Wdq        aligned
      66 0F 74         PCMPEQB      Vdq,Wdq        aligned
      66 0F 75         PCMPEQW      Vdq,Wdq        aligned
      66 0F 76         PCMPEQD      Vdq,Wdq        aligned
      66 0F D1         PSRLW        Vdq,Wdq        aligned
      66 0F D2         PSRLD        Vdq,Wdq        aligned
      66 0F D3         PSRLQ        Vdq,Wdq        aligned
      66 0F D4         PADDQ        Vdq,Wdq        aligned
      66 0F D5         PMULLW       Vdq,Wdq        aligned
      66 0F D8         PSUBUSB      Vdq,Wdq        aligned
      66 0F D9         PSUBUSW      Vdq,Wdq        aligned
      66 0F DA         PMINUB       Vdq,Wdq        aligned
      66 0F DB         PAND         Vdq,Wdq        aligned
      66 0F DC         PADDUSB      Vdq,Wdq        aligned
      66 0F DD         PADDUSW      Vdq,Wdq        aligned
      66 0F DE         PMAXUB       Vdq,Wdq        aligned
      66 0F DF         PANDN        Vdq,Wdq        aligned
      66 0F E0         PAVGB        Vdq,Wdq        aligned
      66 0F E1         PSRAW        Vdq,Wdq        aligned
      66 0F E2         PSRAD        Vdq,Wdq        aligned
      66 0F E3         PAVGW        Vdq,Wdq        aligned
      66 0F E4         PMULHUW      Vdq,Wdq        aligned
      66 0F E5         PMULHW       Vdq,Wdq        aligned
      66 0F E8         PSUBSB       Vdq,Wdq        aligned
      66 0F E9         PSUBSW       Vdq,Wdq        aligned
      66 0F EA         PMINSW       Vdq,Wdq        aligned
      66 0F EB         POR          Vdq,Wdq        aligned
      66 0F EC         PADDSB       Vdq,Wdq        aligned
      66 0F ED         PADDSW       Vdq,Wdq        aligned
      66 0F EE         PMAXSW       Vdq,Wdq        aligned
      66 0F EF         PXOR         Vdq,Wdq        aligned
      66 0F F1         PSLLW        Vdq,Wdq        aligned
      66 0F F2         PSLLD        Vdq,Wdq        aligned
      66 0F F3         PSLLQ        Vdq,Wdq        aligned
      66 0F F4         PMULUDQ      Vdq,Wdq        aligned
      66 0F F5         PMADDWD      Vdq,Wdq        aligned
      66 0F F6         PSADBW       Vdq,Wdq        aligned
      66 0F F8         PSUBB        Vdq,Wdq        aligned
      66 0F F9         PSUBW        Vdq,Wdq        aligned
      66 0F FA         PSUBD        Vdq,Wdq        aligned
      66 0F FB         PSUBQ        Vdq,Wdq        aligned
      66 0F FC         PADDB        Vdq,Wdq        aligned
      66 0F FD         PADDW        Vdq,Wdq        aligned
      66 0F FE         PADDD        Vdq,Wdq        aligned
      66 0F 6C         PUNPCKLQDQ   Vdq,Wdq        aligned
      66 0F 6D         PUNPCKHQDQ   Vdq,Wdq        aligned
      66 0F 6E W0      MOVD         Vdq,Ed
      66 0F 6E W1      MOVQ         Vdq,Eq
      66 0F 7E W0      MOVD         Ed,Vdq
      66 0F 7E W1      MOVQ         Eq,Vdq
      66 0F 6F         MOVDQA       Vdq,Wdq        aligned
      66 0F 7F         MOVDQA       Wdq,Vdq        aligned
      F3 0F 6F         MOVDQU       Vdq,Wdq
      F3 0F 7F         MOVDQU       Wdq,Vdq
      F3 0F 7E         MOVQ         Vq,Wq
      66 0F D6         MOVQ         Wq,Vq
      66 0F 70         PSHUFD       Vdq,Wdq,Ib     aligned
      F3 0F 70         PSHUFHW      Vdq,Wdq,Ib     aligned
      F2 0F 70         PSHUFLW      Vdq,Wdq,Ib     aligned
      66 0F 71 /2 reg  PSRLW        Udq,Ib
      66 0F 71 /4 reg  PSRAW        Udq,Ib
      66 0F 71 /6 reg  PSLLW        Udq,Ib
      66 0F 72 /2 reg  PSRLD        Udq,Ib
      66 0F 72 /4 reg  PSRAD        Udq,Ib
      66 0F 72 /6 reg  PSLLD        Udq,Ib
      66 0F 73 /2 reg  PSRLQ        Udq,Ib
      66 0F 73 /6 reg  PSLLQ        Udq,Ib
      66 0F 73 /3 reg  PSRLDQ       Udq,Ib
      66 0F 73 /7 reg  PSLLDQ       Udq,Ib
      66 0F C4         PINSRW       Vdq,RdMw,Ib
      66 0F C5 reg     PEXTRW       Gd,Udq,Ib
      66 0F D7 reg     PMOVMSKB     Gy,Udq
      66 0F E7 mem     MOVNTDQ      Mdq,Vdq        aligned
      66 0F F7 reg     MASKMOVDQU   Vdq,Udq
      ; Single and double precision
      NP 0F 10         MOVUPS       Vps,Wps        SSE
      66 0F 10         MOVUPD       Vpd,Wpd
      F3 0F 10         MOVSS        Vss,Wss        SSE
      F2 0F 10         MOVSD        Vsd,Wsd
      NP 0F 11         MOVUPS       Wps,Vps        SSE
      66 0F 11         MOVUPD       Wpd,Vpd
      F3 0F 11         MOVSS        Wss,Vss        SSE
      F2 0F 11         MOVSD        Wsd,Vsd
      NP 0F 12 mem     MOVLPS       Vq,Mq          SSE
      NP 0F 12 reg     MOVHLPS      Vq,Udq         SSE
      66 0F 12 mem     MOVLPD       Vq,Mq
      F3 0F 12         MOVSLDUP     Vps,Wps        SSE3 aligned
      F2 0F 12         MOVDDUP      Vdq,Wq         SSE3
      NP 0F 13 mem     MOVLPS       Mq,Vq          SSE
      66 0F 13 mem     MOVLPD       Mq,Vq
      NP 0F 14         UNPCKLPS     Vps,Wps        SSE aligned
      66 0F 14         UNPCKLPD     Vpd,Wpd        aligned
      NP 0F 15         UNPCKHPS     Vps,Wps        SSE aligned
      66 0F 15         UNPCKHPD     Vpd,Wpd        aligned
      NP 0F 16 mem     MOVHPS       Vdq,Mq         SSE
      NP 0F 16 reg     MOVLHPS      Vdq,Uq         SSE
      66 0F 16 mem     MOVHPD       Vdq,Mq
      F3 0F 16         MOVSHDUP     Vps,Wps        SSE3 aligned
      NP 0F 17 mem     MOVHPS       Mq,Vdq         SSE
      66 0F 17 mem     MOVHPD       Mq,Vdq
      NP 0F 28         MOVAPS       Vps,Wps        SSE aligned
      66 0F 28         MOVAPD       Vpd,Wpd        aligned
      NP 0F 29         MOVAPS       Wps,Vps        SSE aligned
      66 0F 29         MOVAPD       Wpd,Vpd        aligned
      F3 0F 2A         CVTSI2SS     Vss,Ey         SSE
      F2 0F 2A         CVTSI2SD     Vsd,Ey
      NP 0F 2B mem     MOVNTPS      Mdq,Vps        SSE aligned
      66 0F 2B mem     MOVNTPD      Mdq,Vpd        aligned
      F3 0F 2C         CVTTSS2SI    Gy,Wss         SSE
      F2 0F 2C         CVTTSD2SI    Gy,Wsd
      F3 0F 2D         CVTSS2SI     Gy,Wss         SSE
      F2 0F 2D         CVTSD2SI     Gy,Wsd
      NP 0F 2E         UCOMISS      Vss,Wss        SSE w=OSZAPC
      66 0F 2E         UCOMISD      Vsd,Wsd        w=OSZAPC
      NP 0F 2F         COMISS       Vss,Wss        SSE w=OSZAPC
      66 0F 2F         COMISD       Vsd,Wsd        w=OSZAPC
      NP 0F 50 reg     MOVMSKPS     Gy,Ups         SSE
      66 0F 50 reg     MOVMSKPD     Gy,Upd
      NP 0F 51         SQRTPS       Vps,Wps        SSE aligned
      66 0F 51         SQRTPD       Vpd,Wpd        aligned
      F3 0F 51         SQRTSS       Vss,Wss        SSE
      F2 0F 51         SQRTSD       Vsd,Wsd
      NP 0F 52         RSQRTPS      Vps,Wps        SSE aligned
      F3 0F 52         RSQRTSS      Vss,Wss        SSE
      NP 0F 53         RCPPS        Vps,Wps        SSE aligned
      F3 0F 53         RCPSS        Vss,Wss        SSE
      NP 0F 54         ANDPS        Vps,Wps        SSE aligned
      66 0F 54         ANDPD        Vpd,Wpd        aligned
      NP 0F 55         ANDNPS       Vps,Wps        SSE aligned
      66 0F 55         ANDNPD       Vpd,Wpd        aligned
      NP 0F 56         ORPS         Vps,Wps        SSE aligned
      66 0F 56         ORPD         Vpd,Wpd        aligned
      NP 0F 57         XORPS        Vps,Wps        SSE aligned
      66 0F 57         XORPD        Vpd,Wpd        aligned
      NP 0F 58         ADDPS        Vps,Wps        SSE aligned
      66 0F 58         ADDPD        Vpd,Wpd        aligned
      F3 0F 58         ADDSS        Vss,Wss        SSE
      F2 0F 58         ADDSD        Vsd,Wsd
      NP 0F 59         MULPS        Vps,Wps        SSE aligned
      66 0F 59         MULPD        Vpd,Wpd        aligned
      F3 0F 59         MULSS        Vss,Wss        SSE
      F2 0F 59         MULSD        Vsd,Wsd
      NP 0F 5A         CVTPS2PD     Vpd,Wq
      66 0F 5A         CVTPD2PS     Vps,Wpd        aligned
      F3 0F 5A         CVTSS2SD     Vsd,Wss
      F2 0F 5A         CVTSD2SS     Vss,Wsd
      NP 0F 5B         CVTDQ2PS     Vps,Wdq        aligned
      66 0F 5B         CVTPS2DQ     Vdq,Wps        aligned
      F3 0F 5B         CVTTPS2DQ    Vdq,Wps        aligned
      NP 0F 5C         SUBPS        Vps,Wps        SSE aligned
      66 0F 5C         SUBPD        Vpd,Wpd        aligned
      F3 0F 5C         SUBSS        Vss,Wss        SSE
      F2 0F 5C         SUBSD        Vsd,Wsd
      NP 0F 5D         MINPS        Vps,Wps        SSE aligned
      66 0F 5D         MINPD        Vpd,Wpd        aligned
      F3 0F 5D         MINSS        Vss,Wss        SSE
      F2 0F 5D         MINSD        Vsd,Wsd
      NP 0F 5E         DIVPS        Vps,Wps        SSE aligned
      66 0F 5E         DIVPD        Vpd,Wpd        aligned
      F3 0F 5E         DIVSS        Vss,Wss        SSE
      F2 0F 5E         DIVSD        Vsd,Wsd
      NP 0F 5F         MAXPS        Vps,Wps        SSE aligned
      66 0F 5F         MAXPD        Vpd,Wpd        aligned
      F3 0F 5F         MAXSS        Vss,Wss        SSE
      F2 0F 5F         MAXSD        Vsd,Wsd
      NP 0F C2         CMPPS        Vps,Wps,Ib     SSE aligned
      66 0F C2         CMPPD        Vpd,Wpd,Ib     aligned
      F3 0F C2         CMPSS        Vss,Wss,Ib     SSE
      F2 0F C2         CMPSD        Vsd,Wsd,Ib
      NP 0F C6         SHUFPS       Vps,Wps,Ib     SSE aligned
      66 0F C6         SHUFPD       Vpd,Wpd,Ib     aligned
      66 0F E6         CVTTPD2DQ    Vdq,Wpd        aligned
      F3 0F E6         CVTDQ2PD     Vpd,Wq
      F2 0F E6         CVTPD2DQ     Vdq,Wpd        aligned
      @ SSE3 sse
      66 0F 7C         HADDPD       Vpd,Wpd        aligned
      F2 0F 7C         HADDPS       Vps,Wps        aligned
      66 0F 7D         HSUBPD       Vpd,Wpd        aligned
      F2 0F 7D         HSUBPS       Vps,Wps        aligned
      66 0F D0         ADDSUBPD     Vpd,Wpd        aligned
      F2 0F D0         ADDSUBPS     Vps,Wps        aligned
      F2 0F F0 mem     LDDQU        Vdq,Mdq
      @ SSSE3 sse
      66 0F 38 00      PSHUFB       Vdq,Wdq        aligned
      66 0F 38 01      PHADDW       Vdq,Wdq        aligned
      66 0F 38 02      PHADDD       Vdq,Wdq        aligned
      66 0F 38 03      PHADDSW      Vdq,Wdq        aligned
      66 0F 38 04      PMADDUBSW    Vdq,Wdq        aligned
      66 0F 38 05      PHSUBW       Vdq,Wdq        aligned
      66 0F 38 06      PHSUBD       Vdq,Wdq        aligned
      66 0F 38 07      PHSUBSW      Vdq,Wdq        aligned
      66 0F 38 08      PSIGNB       Vdq,Wdq        aligned
      66 0F 38 09      PSIGNW       Vdq,Wdq        aligned
      66 0F 38 0A      PSIGND       Vdq,Wdq        aligned
      66 0F 38 0B      PMULHRSW     Vdq,Wdq        aligned
      66 0F 38 1C      PABSB        Vdq,Wdq        aligned
      66 0F 38 1D      PABSW        Vdq,Wdq        aligned
      66 0F 38 1E      PABSD        Vdq,Wdq        aligned
      66 0F 3A 0F      PALIGNR      Vdq,Wdq,Ib     aligned
      @ SSE41 sse
      ; PBLENDVB, BLENDVPS and BLENDVPD take their mask from XMM0
      66 0F 38 10      PBLENDVB     Vdq,Wdq,XMM0   aligned
      66 0F 38 14      BLENDVPS     Vdq,Wdq,XMM0   aligned
      66 0F 38 15      BLENDVPD     Vdq,Wdq,XMM0   aligned
      66 0F 38 17      PTEST        Vdq,Wdq        w=OSZAPC aligned
      66 0F 38 20      PMOVSXBW     Vdq,Wq
      66 0F 38 21      PMOVSXBD     Vdq,Wd
      66 0F 38 22      PMOVSXBQ     Vdq,Ww
      66 0F 38 23      PMOVSXWD     Vdq,Wq
      66 0F 38 24      PMOVSXWQ     Vdq,Wd
      66 0F 38 25      PMOVSXDQ     Vdq,Wq
      66 0F 38 30      PMOVZXBW     Vdq,Wq
      66 0F 38 31      PMOVZXBD     Vdq,Wd
      66 0F 38 32      PMOVZXBQ     Vdq,Ww
      66 0F 38 33      PMOVZXWD     Vdq,Wq
      66 0F 38 34      PMOVZXWQ     Vdq,Wd
      66 0F 38 35      PMOVZXDQ     Vdq,Wq
      66 0F 38 2A mem  MOVNTDQA     Vdq,Mdq        aligned
      66 0F 38 28      PMULDQ       Vdq,Wdq        aligned
      66 0F 38 29      PCMPEQQ      Vdq,Wdq        aligned
      66 0F 38 2B      PACKUSDW     Vdq,Wdq        aligned
      66 0F 38 37      PCMPGTQ      Vdq,Wdq        SSE42 aligned
      66 0F 38 38      PMINSB       Vdq,Wdq        aligned
      66 0F 38 39      PMINSD       Vdq,Wdq        aligned
      66 0F 38 3A      PMINUW       Vdq,Wdq        aligned
      66 0F 38 3B      PMINUD       Vdq,Wdq        aligned
      66 0F 38 3C      PMAXSB       Vdq,Wdq        aligned
      66 0F 38 3D      PMAXSD       Vdq,Wdq        aligned
      66 0F 38 3E      PMAXUW       Vdq,Wdq        aligned
      66 0F 38 3F      PMAXUD       Vdq,Wdq        aligned
      66 0F 38 40      PMULLD       Vdq,Wdq        aligned
      66 0F 38 41      PHMINPOSUW   Vdq,Wdq        aligned
      66 0F 3A 08      ROUNDPS      Vps,Wps,Ib     aligned
      66 0F 3A 09      ROUNDPD      Vpd,Wpd,Ib     aligned
      66 0F 3A 0A      ROUNDSS      Vss,Wss,Ib
      66 0F 3A 0B      ROUNDSD      Vsd,Wsd,Ib
      66 0F 3A 0C      BLENDPS      Vps,Wps,Ib     aligned
      66 0F 3A 0D      BLENDPD      Vpd,Wpd,Ib     aligned
      66 0F 3A 0E      PBLENDW      Vdq,Wdq,Ib     aligned
      66 0F 3A 14      PEXTRB       RdMb,Vdq,Ib
      66 0F 3A 15      PEXTRW       RdMw,Vdq,Ib
      66 0F 3A 16 W0   PEXTRD       Ed,Vdq,Ib
      66 0F 3A 16 W1   PEXTRQ       Eq,Vdq,Ib
      66 0F 3A 17      EXTRACTPS    Ed,Vdq,Ib
      66 0F 3A 20      PINSRB       Vdq,RdMb,Ib
      66 0F 3A 21      INSERTPS     Vdq,Wd,Ib
      66 0F 3A 22 W0   PINSRD       Vdq,Ed,Ib
      66 0F 3A 22 W1   PINSRQ       Vdq,Eq,Ib
      66 0F 3A 40      DPPS         Vps,Wps,Ib     aligned
      66 0F 3A 41      DPPD         Vpd,Wpd,Ib     aligned
      66 0F 3A 42      MPSADBW      Vdq,Wdq,Ib     aligned
      @ SSE42 sse
      66 0F 3A 60      PCMPESTRM    Vdq,Wdq,Ib     w=OSZAPC
      66 0F 3A 61      PCMPESTRI    Vdq,Wdq,Ib     w=OSZAPC
      66 0F 3A 62      PCMPISTRM    Vdq,Wdq,Ib     w=OSZAPC
      66 0F 3A 63      PCMPISTRI    Vdq,Wdq,Ib     w=OSZAPC
      @ AES sse
      66 0F 38 DB      AESIMC       Vdq,Wdq        aligned
      66 0F 38 DC      AESENC       Vdq,Wdq        aligned
      66 0F 38 DD      AESENCLAST   Vdq,Wdq        aligned
      66 0F 38 DE      AESDEC       Vdq,Wdq        aligned
      66 0F 38 DF      AESDECLAST   Vdq,Wdq        aligned
      66 0F 3A DF      AESKEYGENASSIST Vdq,Wdq,Ib     aligned
      66 0F 3A 44      PCLMULQDQ    Vdq,Wdq,Ib     PCLMULQDQ aligned
      @ SHA sse
      NP 0F 38 C8      SHA1NEXTE    Vdq,Wdq        aligned
      NP 0F 38 C9      SHA1MSG1     Vdq,Wdq        aligned
      NP 0F 38 CA      SHA1MSG2     Vdq,Wdq        aligned
      NP 0F 38 CB      SHA256RNDS2  Vdq,Wdq,XMM0   aligned
      NP 0F 38 CC      SHA256MSG1   Vdq,Wdq        aligned
      NP 0F 38 CD      SHA256MSG2   Vdq,Wdq        aligned
      NP 0F 3A CC      SHA1RNDS4    Vdq,Wdq,Ib     aligned
      """;

  private SseRows() {}
}
