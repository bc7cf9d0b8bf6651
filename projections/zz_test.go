package projections_test
import ("testing";"time";"govahi/adapters/postgres/pgtest")
func TestZZ(t *testing.T){ pgtest.Pool(t); for range 5 { b:=time.Now(); pgtest.Pool(t); t.Log(time.Since(b)) }
 b:=time.Now(); t.Run("x",func(t *testing.T){v:=newViews(t); v.opened(trackingCode(1),sara); b:=time.Now(); v.shown(); t.Log("views", time.Since(b))}); t.Log(time.Since(b)) }
